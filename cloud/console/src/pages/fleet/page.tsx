/** The page of the whole fleet: how many are in which state, what needs attention, each device at a glance. */
import { computed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "../../style/fleet.css";
import { Failed, Loading, PageHead } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { inSight } from "../../stores/alarms";
import { devices } from "../../stores/devices";
import { gateways } from "../../stores/gateways";
import { keep } from "../../stores/link";
import { recommendations } from "../../stores/recommendations";
import { may } from "../../stores/session";
import { t } from "../../text";
import { AttentionList } from "./attention";
import { Cards } from "./cards";
import { attention, byPlace, countByStatus, fitting, gatewayOf, worstOf } from "./judge";
import { DeviceList } from "./list";
import { Newcomer } from "./newcomer";
import { AlarmRate } from "./rate";
import { Tiles } from "./tiles";
import { Tools, viewNow, wantedNow } from "./tools";

const later = (one: string, other: string) => (one < other ? other : one);
const ordered = computed(() => [...devices.list.value].sort(byPlace));
const worst = computed(() => worstOf(inSight.value));
const counts = computed(() => countByStatus(devices.list.value));
const newest = computed(() => inSight.value.map((one) => one.raised_at).reduce(later, ""));
const needed = computed(() =>
  attention({
    devices: devices.list.value,
    alarms: inSight.value,
    gateways: gateways.list.value,
    recommendations: recommendations.list.value,
  }),
);
const different = (all: readonly string[]) => [...new Set(all)].filter(Boolean).sort();
const places = computed(() => different(devices.list.value.map((one) => one.location)));
const sources = computed(() => different(devices.list.value.map(gatewayOf)));
const shown = computed(() => fitting(ordered.value, wantedNow()));

export function FleetPage(_: { at: Record<string, string> }) {
  useKept(recommendations, 60);
  useEffect(() => (may("gateways:read") ? keep(gateways, 10) : undefined), []);
  const { state, error } = devices;
  if (state.value === "failed") return <Failed error={error.value} retry={() => void devices.load()} />;
  if (devices.list.value.length === 0) {
    return (
      <>
        <PageHead title={t("fleet.title")} />
        {state.value === "ready" ? <Newcomer /> : <Loading />}
      </>
    );
  }
  return (
    <>
      <PageHead title={t("fleet.title")} />
      <Overview />
      <div class={`fleet ${viewNow() === "list" ? "as-list" : ""}`}>
        <div class="stack devices">
          <Fleet />
        </div>
        <aside class="stack">
          <AttentionList of={needed.value} />
        </aside>
      </div>
    </>
  );
}

function Overview() {
  return (
    <div class="overview">
      <Tiles
        counts={counts.value}
        total={devices.list.value.length}
        chosen={wantedNow().status}
        gateways={gateways.list.value}
      />
      {may("alarms:read") && <AlarmRate newest={newest.value} />}
    </div>
  );
}

function Fleet() {
  const total = devices.list.value.length;
  return (
    <>
      <Tools
        wanted={wantedNow()}
        places={places.value}
        gateways={sources.value}
        shown={shown.value.length}
        total={total}
      />
      {shown.value.length === 0 ? (
        <p class="panel empty">{t("fleet.nothing_fits")}</p>
      ) : viewNow() === "list" ? (
        <DeviceList devices={shown.value} worst={worst.value} />
      ) : (
        <Cards devices={shown.value} worst={worst.value} />
      )}
    </>
  );
}
