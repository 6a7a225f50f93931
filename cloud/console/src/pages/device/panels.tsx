/** Why a device is as it is: the last anomaly by channel, the parts of its health, how likely it fails. */
import { Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Panel } from "../../parts/panel";
import type { Asked } from "../../parts/use";
import { alarmSays, serverSays } from "../../says/alarm";
import { reason } from "../../says/refusal";
import type { Alarm } from "../../stores/alarms";
import { type TextKey, t, word } from "../../text";
import { ago, at, length, now } from "../../time/zone";
import type { Failure, Health } from "./data";
import { Gauge } from "./head";
import { isActive, stretchOf } from "./marked";

const MOST_SHARES = 6;

/** The newest anomaly with the share of each channel in it. */
export function Explanation({ alarm, show }: { alarm: Alarm | undefined; show: (alarm: Alarm) => void }) {
  if (!alarm) {
    return (
      <Panel title={t("device.explanation")}>
        <p class="quiet">{t("device.no_anomaly")}</p>
      </Panel>
    );
  }
  const stretch = stretchOf(alarm, now.value);
  const shares = [...alarm.shares].sort((one, other) => other.share - one.share).slice(0, MOST_SHARES);
  const zoom = (
    <button type="button" class="button" onClick={() => show(alarm)}>
      {t("device.show_on_trend")}
    </button>
  );
  return (
    <Panel title={t("device.explanation")} tools={zoom}>
      <p>
        <Mark of={alarm.severity} muted={!isActive(alarm)}>
          {isActive(alarm) ? t("device.active_now") : t("device.over_since", { ago: ago(stretch.to) })}
        </Mark>
      </p>
      <p title={serverSays(alarm) || undefined}>{alarmSays(alarm)}</p>
      <ul class="device-shares">
        {shares.map((one) => (
          <li key={one.channel}>
            <span class="clip">{one.channel}</span>
            <Gauge share={one.share} label={`${one.channel} ${percent(one.share)}`} />
            <b class="number">{percent(one.share)}</b>
          </li>
        ))}
      </ul>
      <p class="quiet">
        {at(stretch.from, "seconds")} · {length((stretch.to - stretch.from) / 1000)}
        {alarm.occurrences > 1 && ` · ${t("device.times", { n: alarm.occurrences })}`}
        {alarm.score !== null && ` · ${t("device.score")} ${number(alarm.score, "", 3)}`}
        {alarm.model && ` · ${alarm.model}`}
      </p>
    </Panel>
  );
}

/** The parts of the health score, and the outlook. */
export function HealthPanel(props: { health: Asked<Health | null>; failure: Asked<Failure>; knownMs: number }) {
  const { health, failure } = props;
  const parts = Object.entries(health.data?.components ?? {});
  return (
    <Panel title={t("device.health")}>
      {parts.length === 0 ? (
        <p class="quiet">{health.isLoading ? t("common.loading") : t("device.health_unknown")}</p>
      ) : (
        <ul class="device-shares">
          {parts.map(([name, score]) => (
            <li key={name} title={reasonOf(name, health.data)}>
              <span class="clip">{partName(name)}</span>
              <Gauge
                share={score}
                tone={score < 0.4 ? "critical" : score < 0.7 ? "warning" : ""}
                label={`${partName(name)} ${percent(score)}`}
              />
              <b class="number">{percent(score)}</b>
            </li>
          ))}
        </ul>
      )}
      {parts.length > 0 && <p class="quiet">{reasons(health.data)}</p>}
      <Outlook failure={failure} knownMs={props.knownMs} />
    </Panel>
  );
}

const PARTS: Record<string, TextKey> = {
  limits: "device.part_limits",
  anomaly_burden: "device.part_anomaly_burden",
  trend: "device.part_trend",
  drift: "device.part_drift",
  data_quality: "device.part_data_quality",
};

function partName(name: string): string {
  const key = PARTS[name];
  return key ? t(key) : word(name);
}

function reasonOf(name: string, health: Health | null): string | undefined {
  const anomalies = health?.facts.anomalies as { share?: number; own_share?: number } | null | undefined;
  const quality = health?.facts.data_quality as { good?: number; expected?: number } | null | undefined;
  if (name === "anomaly_burden" && anomalies) {
    return t("device.reason_anomalies", { share: percent(anomalies.share, 1), own: percent(anomalies.own_share, 1) });
  }
  if (name === "data_quality" && quality) {
    return t("device.reason_quality", {
      good: number(quality.good, "", 6),
      expected: number(Math.round(quality.expected ?? 0), "", 6),
    });
  }
  return undefined;
}

function reasons(health: Health | null): string {
  return Object.keys(health?.components ?? {})
    .map((name) => reasonOf(name, health))
    .filter(Boolean)
    .join(" ");
}

function Outlook({ failure, knownMs }: { failure: Asked<Failure>; knownMs: number }) {
  const told = failure.data;
  if (!told) {
    const hours = Number.isFinite(knownMs) ? t("device.few_hours", { hours: length(knownMs / 1000) }) : "";
    const refused = failure.error && reason(failure.error);
    const why = refused ?? (failure.isLoading ? "" : hours);
    return why ? (
      <p class="quiet">
        {t("device.failure")}: {why}
      </p>
    ) : null;
  }
  const { failure_probabilities: chances, horizon_hours: hours, channel, calibrated } = told.failure_prediction;
  const chance = chances.at(-1) ?? null;
  const life = told.remaining_life;
  return (
    <>
      <ul class="device-shares">
        <li>
          <span class="clip">{t("device.failure_within", { time: length(hours * 3600) })}</span>
          <Gauge
            share={chance ?? 0}
            tone={(chance ?? 0) >= 0.5 ? "critical" : (chance ?? 0) >= 0.2 ? "warning" : ""}
            label={`${t("device.failure")} ${percent(chance)}`}
          />
          <b class="number">{percent(chance)}</b>
        </li>
      </ul>
      <p class="quiet">
        {life.expected_h === null
          ? t("device.life_long")
          : t("device.life", {
              expected: hoursText(life.expected_h),
              from: hoursText(life.earliest_h),
              to: hoursText(life.latest_h),
            })}
        {channel && ` · ${t("device.nearest_limit", { channel })}`}
        {!calibrated && ` · ${t("device.not_calibrated")}`}
      </p>
    </>
  );
}

function hoursText(hours: number | null): string {
  return hours === null ? t("device.beyond_ten_years") : length(hours * 3600);
}
