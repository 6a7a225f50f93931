/** What a channel of a device usually does: its unit, its limits, and where it was in the last hours. */
import { type Signal, signal } from "@preact/signals";
import { type Answer, api } from "../api/client";
import type { Band } from "../parts/bar";

type Limits = Answer<"/api/v1/devices/{device_id}/limits">[number];

export interface Usual {
  channel: string;
  unit: string;
  /** Within the warning limits where there are any, else where it mostly was. */
  normal: Band | null;
  range: Band | null;
  limits: readonly number[];
  low: Pair;
  high: Pair;
  last: number | null;
}

/** A warning and a critical limit of one side. */
interface Pair {
  warn: number | null;
  crit: number | null;
}

const HOURS = 6;
const POINTS = 80;
const FRESH_MS = 600_000;
const AT_ONCE = 2;
/** A stretch of the range left free on each side, so that the pointer shows that it left the band. */
const AROUND = 0.4;

/** Return what is usual by the points of the last hours and the limits, which may both be missing. */
export function usualOf(channel: string, points: readonly unknown[], limits: Limits | undefined, unit = ""): Usual {
  const values = points.filter((one): one is number => typeof one === "number" && Number.isFinite(one));
  const order = [...values].sort((one, other) => one - other);
  const low: Pair = { warn: limits?.low_warn ?? null, crit: limits?.low_crit ?? null };
  const high: Pair = { warn: limits?.high_warn ?? null, crit: limits?.high_crit ?? null };
  const mostly = order.length > 1 ? { low: quantile(order, 0.05), high: quantile(order, 0.95) } : null;
  const normal = within(mostly, low.warn, high.warn);
  const marks = [low.crit, low.warn, high.warn, high.crit].filter((one) => one !== null);
  const all = [...marks, ...(normal ? [normal.low, normal.high] : [])];
  return { channel, unit, normal, range: around(all), limits: marks, low, high, last: values.at(-1) ?? null };
}

function within(mostly: Band | null, low: number | null, high: number | null): Band | null {
  if (low === null && high === null) return mostly;
  const floor = low ?? Math.min(mostly?.low ?? Number.POSITIVE_INFINITY, high ?? 0);
  return { low: floor, high: high ?? Math.max(mostly?.high ?? Number.NEGATIVE_INFINITY, floor) };
}

function around(marks: readonly number[]): Band | null {
  if (!marks.length) return null;
  const low = Math.min(...marks);
  const high = Math.max(...marks);
  const span = high - low || Math.abs(high) || 1;
  return { low: low - AROUND * span, high: high + AROUND * span };
}

function quantile(order: readonly number[], share: number): number {
  const at = (order.length - 1) * share;
  const below = order[Math.floor(at)] ?? 0;
  return below + (at - Math.floor(at)) * ((order[Math.ceil(at)] ?? below) - below);
}

/** Return whether a value is outside its limits, and how badly. */
export function toneOf(value: number | null, usual: Usual): "normal" | "warning" | "critical" {
  if (value === null) return "normal";
  const isBeyond = (low: number | null, high: number | null) =>
    (low !== null && value < low) || (high !== null && value > high);
  if (isBeyond(usual.low.crit, usual.high.crit)) return "critical";
  return isBeyond(usual.low.warn, usual.high.warn) ? "warning" : "normal";
}

interface Kept {
  usual: Signal<Usual | null>;
  askedAt: number;
}
const kept = new Map<string, Kept>();
const waiting: (() => Promise<void>)[] = [];
let working = 0;

/** Return what is usual for a device's channel as a signal; it is asked for when first wanted, two at a time. */
export function usually(device: string, channel: string): Signal<Usual | null> {
  const key = `${device} ${channel}`;
  let found = kept.get(key);
  if (!found) {
    found = { usual: signal(null), askedAt: 0 };
    kept.set(key, found);
  }
  return found.usual;
}

/** Ask for it unless that was done lately; what is returned takes the wish back, as when it left the view. */
export function wantUsual(device: string, channel: string, now = Date.now()): () => void {
  const found = kept.get(`${device} ${channel}`);
  if (!channel || !found || now - found.askedAt < FRESH_MS) return () => undefined;
  const work = async () => {
    found.askedAt = now;
    found.usual.value = await ask(device, channel).catch(() => found.usual.value);
  };
  waiting.push(work);
  void next();
  return () => {
    const index = waiting.indexOf(work);
    if (index >= 0) waiting.splice(index, 1);
  };
}

async function next(): Promise<void> {
  if (working >= AT_ONCE) return;
  const work = waiting.shift();
  if (!work) return;
  working += 1;
  try {
    await work();
  } finally {
    working -= 1;
    void next();
  }
}

async function ask(device: string, channel: string): Promise<Usual> {
  const query = { device_id: device, metric: channel, hours: HOURS, max_points: POINTS };
  const [history, limits] = await Promise.all([
    api.get("/api/v1/historical_data", { query }),
    api.get("/api/v1/devices/{device_id}/limits", { at: { device_id: device } }),
  ]);
  const own = limits.data.find((one) => one.tag === channel);
  return usualOf(channel, history.data.values, own, history.data.unit);
}
