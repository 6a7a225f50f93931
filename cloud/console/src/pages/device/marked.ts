/** What a chart marks of a device's time: its alarms, what people said of them, and what is planned. */
import type { Answer } from "../../api/client";
import type { Flag, Period, Tone } from "../../chart/marks";
import type { Stretch } from "../../chart/trace";
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

/** Return the periods of alarms and labels; names: what a type or verdict is called. */
export function periodsOf(
  alarms: readonly Alarm[],
  labels: readonly Label[],
  now: number,
  name: (text: string) => string,
): Period[] {
  const anomalies = alarms.map((one): Period => {
    const what = one.channel ? `${name(one.type)}: ${one.channel}` : name(one.type);
    return { id: alarmPeriod(one.id), kind: "anomaly", tone: toneOf(one), label: what, ...stretchOf(one, now) };
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

export const alarmPeriod = (id: string): string => `alarm ${id}`;

export function flagsOf(alarms: readonly Alarm[], name: (text: string) => string): Flag[] {
  return alarms.map((one) => ({
    id: alarmPeriod(one.id),
    at: Date.parse(one.raised_at),
    tone: toneOf(one),
    label: one.message || name(one.type),
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
