/** The stretch of time that an alarm is about, and the address of its device page that shows it. */
import type { Alarm } from "../../stores/alarms";
import { ms } from "../../time/zone";

const LEAST_MS = 120_000;
const MOST_MS = 6 * 3_600_000;

/** Return from when to when to look at an alarm: its span, with as much again around it. */
export function windowOf(alarm: Alarm, now = Date.now()): { from: string; to: string } {
  const begin = ms(alarm.onset_at ?? alarm.raised_at);
  const told = ms(alarm.cleared_at ?? null);
  const isCleared = alarm.resolved && Number.isFinite(told);
  const end = Math.max(begin, isCleared ? told : now);
  const around = Math.min(MOST_MS, Math.max(LEAST_MS, (end - begin) / 2));
  const to = Math.min(end + around, Math.max(now, begin + LEAST_MS));
  return { from: new Date(begin - around).toISOString(), to: new Date(to).toISOString() };
}

/** The address of the device page at that time. */
export function deviceLink(alarm: Alarm, now = Date.now()): string {
  const { from, to } = windowOf(alarm, now);
  return `/devices/${encodeURIComponent(alarm.device_id)}?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
}
