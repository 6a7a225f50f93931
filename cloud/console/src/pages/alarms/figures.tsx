/** How the alarm system itself does: the figures of ISA-18.2, three of which filter the list when pressed. */
import type { ComponentChildren } from "preact";
import { api } from "../../api/client";
import { Figure } from "../../parts/panel";
import { useAsked, useLast } from "../../parts/use";
import { setQuery } from "../../router";
import { type Alarm, isUnacknowledged } from "../../stores/alarms";
import { HOUR_MS, mostWithin } from "../../stores/rate";
import { t } from "../../text";
import { now } from "../../time/zone";
import { ACCEPTABLE_AN_HOUR, FLOOD_IN_10_MIN, isOld, type Only } from "./judge";

interface FiguresProps {
  alarms: readonly Alarm[];
  hidden: number;
  newest: string;
  chosen: string;
}

const MOST = 2_000;

async function readHour() {
  const from = new Date(Date.now() - HOUR_MS).toISOString();
  const { data, total } = await api.get("/api/v1/alerts", { query: { from, limit: MOST } });
  return {
    count: total ?? data.length,
    most: mostWithin(
      data.map((one) => one.raised_at),
      HOUR_MS / 6,
    ),
  };
}

export function Figures({ alarms, hidden, newest, chosen }: FiguresProps) {
  const hour = useLast(useAsked(readHour, ["hour", newest.slice(0, 18)], 60).data);
  const unseen = alarms.filter(isUnacknowledged);
  const critical = unseen.filter((one) => one.severity === "critical").length;
  const old = alarms.filter((one) => isOld(one, now.peek())).length;
  const chattering = alarms.filter((one) => one.chattering).length;
  const isFlood = (hour?.most ?? 0) > FLOOD_IN_10_MIN;
  return (
    <div class="figures alarm-figures">
      <Pressed what="unacknowledged" chosen={chosen} tone={critical ? "critical" : unseen.length ? "warning" : ""}>
        <Said
          value={unseen.length}
          label={t("alarms.kpi_unacknowledged")}
          more={t("alarms.kpi_critical", { n: critical })}
        />
      </Pressed>
      <Figure
        label={t("alarms.kpi_hour")}
        value={hour?.count ?? "–"}
        unit={t("alarms.kpi_hour_more", { n: ACCEPTABLE_AN_HOUR })}
        tone={(hour?.count ?? 0) > ACCEPTABLE_AN_HOUR ? "warning" : ""}
        title={t("alarms.kpi_hour_title")}
      />
      <Figure
        label={isFlood ? t("alarms.kpi_flood") : t("alarms.kpi_most")}
        value={hour?.most ?? "–"}
        unit={t("alarms.kpi_most_more", { n: FLOOD_IN_10_MIN })}
        tone={isFlood ? "warning" : ""}
        title={t("alarms.kpi_most_title", { n: FLOOD_IN_10_MIN })}
      />
      <Pressed what="old" chosen={chosen} tone={old ? "warning" : ""}>
        <Said value={old} label={t("alarms.kpi_old")} />
      </Pressed>
      <Pressed what="chattering" chosen={chosen} tone={chattering ? "warning" : ""}>
        <Said value={chattering} label={t("alarms.kpi_chattering")} />
      </Pressed>
      <Figure label={t("alarms.kpi_hidden")} value={hidden} />
    </div>
  );
}

function Said({ value, label, more }: { value: number; label: string; more?: string }) {
  return (
    <>
      <span class="value">
        {value}
        {more && <span class="unit">{more}</span>}
      </span>
      <span class="label">{label}</span>
    </>
  );
}

interface PressedProps {
  what: Only;
  chosen: string;
  tone: string;
  children: ComponentChildren;
}

function Pressed({ what, chosen, tone, children }: PressedProps) {
  const isChosen = chosen === what;
  const press = () => setQuery({ only: isChosen ? null : what, tab: null });
  return (
    <button type="button" class={`figure ${tone}`} aria-pressed={isChosen} onClick={press}>
      {children}
    </button>
  );
}
