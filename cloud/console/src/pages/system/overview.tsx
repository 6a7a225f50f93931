/** The machine and the parts of the cloud, the log level, the support bundle. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Mark } from "../../parts/marks";
import { bytes, number } from "../../parts/number";
import { Failed, Figure, Loading, Pairs, Panel } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { act } from "../../stores/act";
import { type Component, readHealth } from "../../stores/health";
import { may } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { type TextKey, t, word } from "../../text";
import { system as words } from "../../text/system";
import { at, length } from "../../time/zone";
import { collect, download } from "./bundle";
import { figure } from "./figures";

const WELL = ["healthy", "ok", "up", "operational"];
const UNUSED = ["not_configured", "disabled", "unused"];
const BAD = ["unhealthy", "down", "failed"];

/** Return how a state of a component is marked; nothing is coloured that is well. */
export function toneOf(status: string): string {
  if (WELL.includes(status)) return "normal";
  if (UNUSED.includes(status)) return "unused";
  return BAD.includes(status) ? "critical" : "warning";
}

export function Overview() {
  const health = useAsked(readHealth, [], 10);
  const told = health.data;
  return (
    <>
      <Machine />
      {health.error && !told ? (
        <Failed error={health.error} retry={() => void health.reload()} />
      ) : !told ? (
        <Loading />
      ) : (
        <Panel
          title={t("system.components")}
          tools={
            <span class="quiet">
              {t("system.version", { version: told.version })} · {t("system.up", { time: length(told.uptime_seconds) })}
            </span>
          }
        >
          {told.alarms.map((one) => (
            <Mark key={JSON.stringify(one)} of="warning">
              {typeof one === "string" ? word(one) : JSON.stringify(one)}
            </Mark>
          ))}
          <div class="components">
            {Object.entries(told.components).map(([name, one]) => (
              <Part key={name} name={name} of={one} />
            ))}
          </div>
        </Panel>
      )}
      <div class="grid">
        {may("admin") && <LogLevel />}
        <Bundle />
      </div>
    </>
  );
}

/** What the documents spell as a text stands there a second time as an exact figure. */
function isSaidOnce([name, value]: [string, unknown], _: number, all: [string, unknown][]): boolean {
  const exact = { memory_usage: "memory_bytes", hit_rate: "hit_share" }[name];
  return typeof value !== "string" || !exact || all.every(([other]) => other !== exact);
}

function Part({ name, of }: { name: string; of: Component }) {
  const title = `part_${name}` in words.en ? t(`system.part_${name}` as TextKey) : name;
  return (
    <section class="component" aria-label={title}>
      <div class="row spread">
        <h3>{title}</h3>
        <Mark of={toneOf(of.status)}>{t(`system.is_${toneOf(of.status)}` as TextKey)}</Mark>
      </div>
      <Pairs
        of={Object.entries(of.details)
          .filter(isSaidOnce)
          .map(([key, value]) => figure(key, value))}
      />
    </section>
  );
}

/** A size as value and unit of a figure. */
function sized(size: number): { value: string; unit: string } {
  const [value = "–", unit = ""] = bytes(size).split(" ");
  return { value, unit };
}

function Machine() {
  const asked = useAsked(async () => (await api.get("/api/v1/system_metrics")).data, [], 10);
  const one = asked.data;
  if (asked.error && !one) return <Failed error={asked.error} retry={() => void asked.reload()} />;
  if (!one) return <Loading />;
  const tone = (value: number, warning: number, critical: number) =>
    value >= critical ? "critical" : value >= warning ? "warning" : "";
  return (
    <div class="figures">
      <Figure
        label={t("system.cpu")}
        value={number(one.cpu_percent, "", 3)}
        unit="%"
        tone={tone(one.cpu_percent, 95, 101)}
      />
      <Figure
        label={t("system.memory")}
        value={number(one.memory_percent, "", 3)}
        unit="%"
        tone={tone(one.memory_percent, 85, 95)}
      />
      <Figure
        label={t("system.disk")}
        value={number(one.disk_percent, "", 3)}
        unit="%"
        tone={tone(one.disk_percent, 85, 95)}
      />
      <Figure label={t("system.storage")} {...sized(one.storage_used_bytes)} />
      <Figure label={t("system.process")} {...sized(one.process_memory_bytes)} />
      <Figure label={t("system.response")} value={number(one.api_response_time_ms, "", 3)} unit="ms" />
      <Figure label={t("system.connections")} value={number(one.active_connections)} />
      <Figure label={t("system.jobs")} value={number(one.active_jobs)} />
      <Figure
        label={t("system.workers")}
        value={number(one.workers_alive)}
        tone={one.workers_alive ? "" : "critical"}
      />
    </div>
  );
}

const LEVELS = ["debug", "info", "warning", "error"] as const;

function LogLevel() {
  const asked = useAsked(async () => (await api.get("/api/v1/admin/log-level")).data, []);
  const set = async (level: (typeof LEVELS)[number] | null) => {
    const done = {
      done: t("system.log_done"),
      wasDone: async () => (await api.get("/api/v1/admin/log-level")).data.level === level,
    };
    if (level === null) await act(() => api.delete("/api/v1/admin/log-level"), { done: t("system.log_back_done") });
    else await act(() => api.put("/api/v1/admin/log-level", { body: { level } }), done);
    await asked.reload();
  };
  const told = asked.data;
  return (
    <Panel title={t("system.log")}>
      <p class="quiet">{t("system.log_says")}</p>
      {told && (
        <div class="row">
          <select
            aria-label={t("system.log")}
            value={told.level}
            onChange={(event) => void set(event.currentTarget.value as (typeof LEVELS)[number])}
          >
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
          {told.changed && (
            <button type="button" class="button" onClick={() => void set(null)}>
              {t("system.log_back", { level: told.configured })}
            </button>
          )}
        </div>
      )}
    </Panel>
  );
}

function Bundle() {
  const isBusy = useSignal(false);
  const make = async () => {
    isBusy.value = true;
    const content = await collect();
    download(`lineside-support-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-")}.json`, content);
    toast("good", t("system.bundle_done", { time: at(Date.now(), "time") }));
    isBusy.value = false;
  };
  return (
    <Panel title={t("system.bundle")}>
      <p class="quiet">{t("system.bundle_says")}</p>
      <div>
        <button type="button" class="button" disabled={isBusy.value} onClick={() => void make()}>
          {t("system.bundle_make")}
        </button>
      </div>
    </Panel>
  );
}
