/** Silence: whether a device says less than it should, seconds before the server calls it offline. */
import { useMemo } from "preact/hooks";
import { ms, now } from "../time/zone";
import { type Device, newestOf } from "./devices";
import { link } from "./link";

const LEAST_MS = 10_000;
const MISSED = 3;
/** Without the live feed newest readings are asked for now and then. */
const POLLED_MS = 60_000;

/** Return how long a device may say nothing, in ms: three of its intervals; endless where it reports on change. */
export function patienceMs(device: Device): number {
  const seconds = device.metadata?.interval_s;
  return typeof seconds === "number" && seconds > 0 ? Math.max(LEAST_MS, MISSED * 1000 * seconds) : Infinity;
}

/** When the device was last heard of, ms since 1970; NaN where it never was. */
export function heardOf(device: Device): number {
  const [live, stored] = [ms(newestOf(device.device_id).value?.at), ms(device.timestamp)];
  return Number.isFinite(live) ? Math.max(live, Number.isFinite(stored) ? stored : live) : stored;
}

/**
 * Return whether nothing new was heard of a device for so long that nobody knows how it is: by its readings' own times
 * and by when the page heard of it, as gateways' clocks may be wrong; `since`: when the page began to listen.
 */
export function isSilent(device: Device, since: number): boolean {
  const heard = heardOf(device);
  if (device.status === "offline" || !Number.isFinite(heard)) return true;
  const told = Math.max(heard, newestOf(device.device_id).value?.heardAt ?? 0, since);
  const least = link.state.value === "live" ? 0 : POLLED_MS;
  return now.value - told > Math.max(least, patienceMs(device));
}

/** Return when this began to listen to a device. */
export function useSince(device: string): number {
  return useMemo(() => Date.now(), [device]);
}
