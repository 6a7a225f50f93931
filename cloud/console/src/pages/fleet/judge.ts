/** What the fleet shows, worked out from the stores: who fits the filter, who needs attention and why. */
import type { Alarm } from "../../stores/alarms";
import { worstFirst } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import type { Gateway } from "../../stores/gateways";
import type { Recommendation } from "../../stores/recommendations";

export type Status = Device["status"];
export const STATUSES: readonly Status[] = ["critical", "warning", "offline", "normal"];
/** A score from which a device is in order; under the second one it is critical (as the health score is documented). */
export const GOOD_HEALTH = 0.7;
export const BAD_HEALTH = 0.4;

/** Tags that count or judge instead of measuring: never what a device is shown by. */
const BOOKKEEPING: ReadonlySet<string> = new Set(["sequence", "anomaly_score"]);

export interface Wanted {
  text: string;
  status: string;
  place: string;
  gateway: string;
}

export const gatewayOf = (device: Device): string => String(device.metadata?.source ?? "");

/** Return the channels of a device that measure something, in their order. */
export function channelsOf(device: Device): readonly string[] {
  const told = device.metadata?.metrics;
  return Array.isArray(told) ? told.filter((one) => typeof one === "string" && !BOOKKEEPING.has(one)) : [];
}

/** Return the channel that says most about a device now: that of its worst alarm, else its first one. */
export function mainChannel(device: Device, alarm: Alarm | undefined): string {
  const channels = channelsOf(device);
  const told = alarm?.channel ?? "";
  return channels.includes(told) ? told : (channels[0] ?? "");
}

export function countByStatus(devices: readonly Device[]): Record<Status, number> {
  const counts: Record<Status, number> = { critical: 0, warning: 0, offline: 0, normal: 0 };
  for (const one of devices) counts[one.status] += 1;
  return counts;
}

/** Return the devices that fit, in the order of their places and names. */
export function fitting(devices: readonly Device[], wanted: Wanted): readonly Device[] {
  const words = wanted.text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return devices.filter((one) => {
    if (wanted.status && one.status !== wanted.status) return false;
    if (wanted.place && one.location !== wanted.place) return false;
    if (wanted.gateway && gatewayOf(one) !== wanted.gateway) return false;
    const all = `${one.device_id} ${one.device_name} ${one.device_type} ${one.location}`.toLocaleLowerCase();
    return words.every((word) => all.includes(word));
  });
}

const names = new Intl.Collator(undefined, { numeric: true });

export function byPlace(one: Device, other: Device): number {
  return names.compare(one.location, other.location) || names.compare(one.device_name, other.device_name);
}

/** Return the worst alarm of each device; `alarms` come worst first. */
export function worstOf(alarms: readonly Alarm[]): ReadonlyMap<string, Alarm> {
  const worst = new Map<string, Alarm>();
  for (const one of alarms) if (one.device_id && !worst.has(one.device_id)) worst.set(one.device_id, one);
  return worst;
}

export type Why = "alarm" | "gateway" | "offline" | "health" | "recommendation";

/** One thing that needs somebody: a device or a gateway, and the reason. */
export interface Attention {
  key: string;
  why: Why;
  tone: "critical" | "warning" | "info" | "offline";
  /** Id of the device, empty for a gateway's own. */
  device: string;
  name: string;
  alarm?: Alarm;
  /** How many more alarms it has. */
  more: number;
  recommendation?: Recommendation;
  health: number | null;
  /** Since when, ISO 8601. */
  at: string | null;
  /** Silent devices of a silent gateway. */
  silent: number;
}

export interface Known {
  devices: readonly Device[];
  /** In sight, worst first. */
  alarms: readonly Alarm[];
  gateways: readonly Gateway[];
  recommendations: readonly Recommendation[];
}

const TONES = { critical: 0, warning: 1, offline: 2, info: 3 };
const WHYS = { alarm: 0, gateway: 1, health: 2, offline: 3, recommendation: 4 };

/** Return what needs attention, worst first; one entry a device, one a silent gateway with its silent devices. */
export function attention(known: Known): readonly Attention[] {
  const silent = new Set(known.gateways.filter((one) => !one.is_online).map((one) => one.gateway_id));
  const count = new Map<string, number>();
  for (const one of known.alarms) count.set(one.device_id, (count.get(one.device_id) ?? 0) + 1);
  const worst = worstOf(known.alarms);
  const advice = new Map<string, Recommendation>();
  for (const one of known.recommendations) if (!advice.has(one.device_id)) advice.set(one.device_id, one);
  const found = known.gateways.filter((one) => !one.is_online).map((one) => ofGateway(one, known.devices));
  for (const device of known.devices) {
    const isExplained = device.status === "offline" && silent.has(gatewayOf(device));
    const one = ofDevice(device, worst.get(device.device_id), advice.get(device.device_id), isExplained);
    if (one) found.push({ ...one, more: Math.max(0, (count.get(device.device_id) ?? 0) - 1) });
  }
  return found.sort(moreUrgent);
}

function ofGateway(gateway: Gateway, devices: readonly Device[]): Attention {
  const id = gateway.gateway_id;
  const silent = devices.filter((one) => gatewayOf(one) === id && one.status === "offline").length;
  const rest = { more: 0, health: null, at: gateway.last_seen_at ?? null, silent };
  return { key: `gateway ${id}`, why: "gateway", tone: "warning", device: "", name: id, ...rest };
}

function ofDevice(
  device: Device,
  alarm: Alarm | undefined,
  recommendation: Recommendation | undefined,
  isExplained: boolean,
): Attention | null {
  const health = device.health_score ?? null;
  const base = {
    key: `device ${device.device_id}`,
    device: device.device_id,
    name: device.device_name,
    more: 0,
    health,
    silent: 0,
    recommendation,
  };
  if (alarm) return { ...base, why: "alarm", tone: alarm.severity, alarm, at: alarm.raised_at };
  if (device.status === "offline" && !isExplained) {
    return { ...base, why: "offline", tone: "offline", at: device.timestamp ?? null };
  }
  if (health !== null && health < GOOD_HEALTH && device.status !== "offline") {
    return { ...base, why: "health", tone: health < BAD_HEALTH ? "critical" : "warning", at: null };
  }
  if (!recommendation) return null;
  return { ...base, why: "recommendation", tone: "info", at: recommendation.created_at };
}

function moreUrgent(one: Attention, other: Attention): number {
  const byTone = TONES[one.tone] - TONES[other.tone] || WHYS[one.why] - WHYS[other.why];
  if (byTone) return byTone;
  if (one.alarm && other.alarm) return worstFirst(one.alarm, other.alarm);
  return (one.health ?? 1) - (other.health ?? 1) || names.compare(one.name, other.name);
}
