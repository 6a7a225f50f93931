/** What a chart marks of a device's time: its alarms, what people said of them, and what is planned. */
import type { Answer } from "../../api/client";
import type { Flag, Period, Tone } from "../../chart/marks";
import type { Stretch } from "../../chart/trace";
import { alarmSays } from "../../says/alarm";
import type { Alarm } from "../../stores/alarms";

export type Label = Answer<"/api/v1/labels">[number];
export type PlannedEvent = Answer<"/api/v1/events/active">["events"][number];

const TONES: Record<string, Tone> = { critical: "critical", warning: "warning", info: "info" };

export const toneOf = (alarm: Alarm): Tone =>
  alarm.label === "false_alarm" ? "muted" : (TONES[alarm.severity] ?? "info");

/** Return whether what an alarm tells of still goes on. */
export function isActive(alarm: Alarm): boolean {
  return !alarm.resolved && alarm.state !== "unack_cleared" && alarm.state !== "normal" && !isCleared(alarm);
}

function isCleared(alarm: Alarm): boolean {
  return alarm.cleared_at !== null && Date.parse(alarm.cleared_at) >= Date.parse(alarm.last_raised_at);
}

/** Return when an alarm's condition lasted; one that is active lasts until now. */
export function stretchOf(alarm: Alarm, now: number): Stretch {
  const from = Date.parse(alarm.onset_at);
  const to = isActive(alarm) || alarm.cleared_at === null ? now : Date.parse(alarm.cleared_at);
  return { from, to: Math.max(from, to) };
}

/** What happened to an alarm, as its history tells. */
export type Deed = Answer<"/api/v1/alerts/{alert_id}">["history"][number];

/** Return each time that an alarm lasted: it may have cleared and come again; without a history, all of it. */
export function windowsOf(alarm: Alarm, history: readonly Deed[] | undefined, now: number): Stretch[] {
  const whole = stretchOf(alarm, now);
  const found: Stretch[] = [];
  let from: number | null = null;
  for (const one of history ?? []) {
    const at = Date.parse(one.at);
    if (one.action === "alarm.raise") from ??= found.length ? at : Math.min(at, whole.from);
    else if (one.action === "alarm.clear" && from !== null) {
      found.push({ from, to: Math.max(from, at) });
      from = null;
    }
  }
  if (from !== null) found.push({ from, to: Math.max(from, whole.to) });
  return found.length ? found : [whole];
}

export type Histories = ReadonlyMap<string, readonly Deed[]>;

/**
 * Return the periods of alarms and labels; name: what a type or verdict is called, channels: those in sight. The plot is
 * shaded for anomalies, which are of the whole device, and for what is about a channel in sight.
 */
export function periodsOf(
  alarms: readonly Alarm[],
  labels: readonly Label[],
  now: number,
  name: (text: string) => string,
  histories: Histories = new Map(),
  channels: readonly string[] = [],
): Period[] {
  const anomalies = alarms.flatMap((one): Period[] => {
    const what = one.channel ? `${name(one.type)}: ${one.channel}` : name(one.type);
    const windows = windowsOf(one, histories.get(one.id), now);
    return windows.map((window, index) => ({
      id: alarmPeriod(one.id, index),
      kind: "anomaly",
      tone: toneOf(one),
      label: what,
      isLaneOnly: one.type !== "anomaly" && !channels.includes(one.channel),
      ...window,
    }));
  });
  const said = labels.map((one): Period => {
    const what = one.kind ? `${name(one.verdict)}: ${one.kind}` : name(one.verdict);
    const tone = one.verdict === "true_fault" ? "critical" : "muted";
    return {
      id: `label ${one.id}`,
      kind: "label",
      tone,
      label: what,
      from: Date.parse(one.from),
      to: Date.parse(one.to),
    };
  });
  return [...anomalies, ...said];
}

/** The id of an alarm's n-th period, counted from 0. */
export const alarmPeriod = (id: string, index = 0): string => (index ? `alarm ${id} ${index}` : `alarm ${id}`);
/** The alarm that a period is of, "" where it is of none. */
export const alarmOf = (period: string | null): string =>
  period?.startsWith("alarm ") ? (period.split(" ")[1] ?? "") : "";

export function flagsOf(alarms: readonly Alarm[], name: (text: string) => string): Flag[] {
  return alarms.map((one) => ({
    id: alarmPeriod(one.id),
    at: Date.parse(one.raised_at),
    tone: toneOf(one),
    label: alarmSays(one) || name(one.type),
  }));
}

/** Return whether a planned event is about a device: by its name, its gateway or place, or about all. */
export function concerns(event: PlannedEvent, device: string, gateway: string, place: string): boolean {
  const named = (key: string) => (Array.isArray(event.metadata[key]) ? (event.metadata[key] as unknown[]) : []);
  const site = event.metadata.site;
  if (!named("devices").length && !named("gateways").length && typeof site !== "string") return true;
  return named("devices").includes(device) || named("gateways").includes(gateway) || site === place || site === gateway;
}

export function eventMarks(events: readonly PlannedEvent[]): { periods: Period[]; flags: Flag[] } {
  const periods = events.map((one): Period => {
    const [from, to] = [Date.parse(one.start_time), Date.parse(one.end_time)];
    return { id: `event ${one.id}`, kind: "event", tone: "accent", label: one.name, from, to };
  });
  const flags = periods.map((one): Flag => ({ id: one.id, at: one.from, tone: "accent", label: one.label }));
  return { periods, flags };
}
