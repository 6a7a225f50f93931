/** What the list of alarms shows, worked out from the store: first-out, figures of ISA-18.2, what can be done. */
import type { Alarm } from "../../stores/alarms";
import { isUnacknowledged } from "../../stores/alarms";
import { ms } from "../../time/zone";

/** Alarms of one gateway that follow each other by less than this belong together. */
export const BURST_MS = 30_000;
/** An alarm that stands longer than this tells nobody anything any more (ISA-18.2). */
export const STALE_MS = 24 * 3_600_000;
/** What one operator can see to in an hour, and what is a flood (ISA-18.2, EEMUA 191). */
export const ACCEPTABLE_AN_HOUR = 6;
export const FLOOD_IN_10_MIN = 10;

/** Return the ids of those that came first in a burst of at least two of the same gateway, or device without one. */
export function firstOut(alarms: readonly Alarm[]): ReadonlySet<string> {
  const groups = new Map<string, Alarm[]>();
  for (const one of alarms) {
    const key = one.gateway_id || one.device_id;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  const first = new Set<string>();
  for (const group of groups.values()) for (const id of firstsOf(group)) first.add(id);
  return first;
}

function firstsOf(group: readonly Alarm[]): string[] {
  const timed = group.map((one) => ({ id: one.id, at: ms(one.raised_at) })).sort((one, other) => one.at - other.at);
  const found: string[] = [];
  let begin = 0;
  for (let index = 1; index <= timed.length; index += 1) {
    const gap = (timed[index]?.at ?? Number.POSITIVE_INFINITY) - (timed[index - 1]?.at ?? 0);
    if (gap < BURST_MS) continue;
    const first = timed[begin];
    if (first && index - begin > 1) found.push(first.id);
    begin = index;
  }
  return found;
}

export const isActive = (alarm: Alarm): boolean => alarm.state === "unack_active" || alarm.state === "ack_active";

/** Grey is what is out of sight or over; what still holds keeps its colour, seen or not. */
export const isMuted = (alarm: Alarm): boolean => !isActive(alarm) && !isUnacknowledged(alarm);

export function isOld(alarm: Alarm, now: number): boolean {
  return isActive(alarm) && now - ms(alarm.raised_at) > STALE_MS;
}

export type Only = "" | "unacknowledged" | "old" | "chattering";
export const ONLY: readonly Only[] = ["", "unacknowledged", "old", "chattering"];

export function only(alarms: readonly Alarm[], what: string, now: number): readonly Alarm[] {
  switch (what) {
    case "unacknowledged":
      return alarms.filter(isUnacknowledged);
    case "old":
      return alarms.filter((one) => isOld(one, now));
    case "chattering":
      return alarms.filter((one) => one.chattering);
    default:
      return alarms;
  }
}

export type Verb =
  | "acknowledge"
  | "shelve"
  | "unshelve"
  | "clear"
  | "out_of_service"
  | "return_to_service"
  | "assign"
  | "label";

/** Return whether something can be done to an alarm in its state. */
export function can(verb: Verb, alarm: Alarm): boolean {
  const isInSight = ["unack_active", "ack_active", "unack_cleared"].includes(alarm.state);
  switch (verb) {
    case "acknowledge":
      return alarm.state === "unack_active" || alarm.state === "unack_cleared";
    case "shelve":
    case "out_of_service":
      return isInSight;
    case "unshelve":
      return alarm.state === "shelved";
    case "clear":
      return isActive(alarm);
    case "return_to_service":
      return alarm.state === "out_of_service";
    case "assign":
      return alarm.state !== "normal";
    case "label":
      return alarm.device_id !== "";
  }
}

/** Return whether an alarm shows that something was done to it. */
export function isDone(verb: Verb, alarm: Alarm, value = ""): boolean {
  switch (verb) {
    case "acknowledge":
      return alarm.acknowledged || !isUnacknowledged(alarm);
    case "shelve":
      return alarm.state === "shelved";
    case "unshelve":
      return alarm.state !== "shelved";
    case "clear":
      return alarm.resolved;
    case "out_of_service":
      return alarm.state === "out_of_service";
    case "return_to_service":
      return alarm.state !== "out_of_service";
    case "assign":
      return alarm.assigned_to === value;
    case "label":
      return alarm.label === value;
  }
}
