/** One channel of a device: where its value lies between its limits and where it usually is. */
import type { Answer } from "../../api/client";
import type { Limit } from "../../chart/marks";
import type { Stretch, Trace } from "../../chart/trace";
import type { Band } from "../../parts/bar";
import type { Device } from "../../stores/devices";

export type Limits = Answer<"/api/v1/devices/{device_id}/limits">[number];
export type Judgement = "normal" | "warning" | "critical";

export const LIMIT_NAMES = ["low_crit", "low_warn", "high_warn", "high_crit"] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** Tags that count instead of measuring. */
const COUNTERS: ReadonlySet<string> = new Set(["sequence"]);

/** Return the channels of a device in its own order, what only counts left out. */
export function channelsOf(device: Device | undefined): readonly string[] {
  const told = device?.metadata?.metrics;
  return Array.isArray(told) ? told.filter((one): one is string => typeof one === "string" && !COUNTERS.has(one)) : [];
}

/** Return what a value is by its limits. */
export function judge(value: number | null, limits: Limits | undefined): Judgement {
  if (value === null || !limits) return "normal";
  const beyond = (low: LimitName, high: LimitName) =>
    value < (limits[low] ?? Number.NEGATIVE_INFINITY) || value > (limits[high] ?? Number.POSITIVE_INFINITY);
  if (beyond("low_crit", "high_crit")) return "critical";
  return beyond("low_warn", "high_warn") ? "warning" : "normal";
}

/** Return whether those that are set rise from low_crit to high_crit, as limits must. */
export function isRising(limits: Partial<Record<LimitName, number>>): boolean {
  const set = LIMIT_NAMES.map((one) => limits[one]).filter((one): one is number => one !== undefined);
  return set.every((one, index) => index === 0 || one > (set[index - 1] ?? one));
}

/** Return the limits as lines of a chart. */
export function limitLines(limits: Limits | undefined, unit: string, name: (limit: LimitName) => string): Limit[] {
  if (!limits) return [];
  return LIMIT_NAMES.flatMap((one) => {
    const value = limits[one];
    if (value === null || value === undefined) return [];
    const tone = one.endsWith("crit") ? "critical" : "warning";
    return [{ value, unit, tone, label: name(one), side: one.startsWith("high") ? "above" : "below" }];
  });
}

const LEAST_READINGS = 20;

/**
 * Return where nine of ten readings lie outside the given stretches, null with too few. The trace may be down-sampled
 * to minima and maxima: then nine of ten of those.
 */
export function usualBand(trace: Trace, without: readonly Stretch[]): Band | null {
  const values: number[] = [];
  for (const [index, at] of trace.times.entries()) {
    const value = trace.values[index];
    if (value === null || value === undefined || without.some((one) => one.from <= at && at <= one.to)) continue;
    values.push(value);
  }
  if (values.length < LEAST_READINGS) return null;
  values.sort((one, other) => one - other);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? 0;
  return { low: at(0.05), high: at(0.95) };
}

/** Return what a bar shows: limits, usual band and value, with room on both sides. */
export function barRange(value: number | null, usual: Band | null, limits: Limits | undefined): Band {
  const all = [value, usual?.low, usual?.high, ...LIMIT_NAMES.map((one) => limits?.[one])].filter(
    (one): one is number => typeof one === "number" && Number.isFinite(one),
  );
  if (!all.length) return { low: 0, high: 1 };
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  return { low: low - pad, high: high + pad };
}
