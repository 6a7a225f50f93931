/** What is marked on a chart beside its lines: periods, flags, limits, bands. */
import type { Stretch } from "./trace";

export type Tone = "critical" | "warning" | "info" | "muted" | "accent";

/** A marked time, such as an anomaly, a label or a planned event: it can be looked at and chosen. */
export interface Period extends Stretch {
  id: string;
  kind: "anomaly" | "label" | "event" | "selection";
  tone: Tone;
  label: string;
  /** Only in the lane: the plot is not shaded. */
  isLaneOnly?: boolean;
}

/** A moment: an alarm that was raised, an event that begins. */
export interface Flag {
  id: string;
  at: number;
  tone: Tone;
  label: string;
}

/** A horizontal line, such as an alarm limit. */
export interface Limit {
  value: number;
  unit: string;
  label: string;
  tone: "critical" | "warning" | "muted";
  /** Which side of it is wrong: its colour is shown only while readings in view are there. */
  side: "above" | "below";
}

/** An area between two curves: what is expected, or one step of a fan. Times in ms; null: nothing is said there. */
export interface Band {
  unit: string;
  label: string;
  times: readonly number[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
  /** How strongly it is filled, 0 to 1. */
  strength?: number;
  /** The axis need not show all of it. */
  isFlat?: boolean;
}

/** Return whether a line breaks a limit with a least and greatest value. */
export function isBroken(limit: Limit, seen: readonly [number, number] | null): boolean {
  return seen !== null && (limit.side === "above" ? seen[1] > limit.value : seen[0] < limit.value);
}

/** A band that is the same at all times. */
export function flatBand(label: string, unit: string, low: number, high: number): Band {
  return { label, unit, times: [0, 8.64e15], low: [low, low], high: [high, high], strength: 0.15, isFlat: true };
}

export interface Quantile {
  /** Such as 0.1. */
  share: number;
  values: readonly (number | null)[];
}

/** Return the bands of a fan, widest first: pairs of quantiles about the middle, darker the nearer they are to it. */
export function fan(times: readonly number[], quantiles: readonly Quantile[], unit: string): Band[] {
  const sorted = [...quantiles].sort((one, other) => one.share - other.share);
  const pairs = Math.floor(sorted.length / 2);
  return Array.from({ length: pairs }, (_, index) => {
    const low = sorted[index] as Quantile;
    const high = sorted[sorted.length - 1 - index] as Quantile;
    const name = (share: number) => `p${Math.round(share * 100)}`;
    return {
      unit,
      label: `${name(low.share)}–${name(high.share)}`,
      times,
      low: low.values,
      high: high.values,
      strength: (index + 1) / (pairs + 1),
    };
  });
}

export interface Placed<T> {
  item: T;
  /** px from the left of the plot. */
  left: number;
  width: number;
  row: number;
}

/** Return a period's place in px in a plot that is `width` wide, null where it is out of sight. */
function place(one: Stretch, view: Stretch, width: number, least: number): { left: number; width: number } | null {
  if (one.to < view.from || one.from > view.to) return null;
  const x = (at: number) => ((at - view.from) / (view.to - view.from)) * width;
  const left = Math.max(0, Math.min(width - least, x(one.from)));
  return { left, width: Math.max(least, Math.min(width, x(one.to)) - left) };
}

const ORDER: Record<Period["kind"], number> = { anomaly: 0, event: 1, label: 2, selection: 3 };

/**
 * Return periods in as few rows as they need, anomalies first, none over another; what needs more than `most` rows
 * shares the last one.
 */
export function rows(periods: readonly Period[], view: Stretch, width: number, most = 3): Placed<Period>[] {
  const ends: number[] = [];
  const sorted = [...periods].sort((one, other) => ORDER[one.kind] - ORDER[other.kind] || one.from - other.from);
  const placed: Placed<Period>[] = [];
  for (const item of sorted) {
    const found = place(item, view, width, 6);
    if (!found) continue;
    let row = ends.findIndex((end) => end + 1 <= found.left);
    if (row < 0) row = ends.length < most ? ends.length : most - 1;
    ends[row] = Math.max(ends[row] ?? 0, found.left + found.width);
    placed.push({ item, ...found, row });
  }
  return placed;
}

export interface Cluster {
  left: number;
  flags: Flag[];
}

const WORST: readonly Tone[] = ["critical", "warning", "info", "accent", "muted"];

/** Return flags by their place in px; those nearer than `apart` are one. The worst of each stands first. */
export function clusters(flags: readonly Flag[], view: Stretch, width: number, apart = 14): Cluster[] {
  const found: Cluster[] = [];
  const inView = flags.filter((one) => one.at >= view.from && one.at <= view.to);
  for (const flag of inView.sort((one, other) => one.at - other.at)) {
    const left = ((flag.at - view.from) / (view.to - view.from)) * width;
    const last = found.at(-1);
    if (last && left - last.left < apart) last.flags.push(flag);
    else found.push({ left, flags: [flag] });
  }
  for (const one of found) one.flags.sort((a, b) => WORST.indexOf(a.tone) - WORST.indexOf(b.tone));
  return found;
}

/** Return the periods that last at a time. */
export function lasting(periods: readonly Period[], at: number): Period[] {
  return periods.filter((one) => one.from <= at && at <= one.to);
}

/** How much of the height the readings keep at least when limits are shown too. */
const KEPT_SHARE = 0.3;

/**
 * Return the least and greatest value that an axis shows: the readings, and of limits and bands what does not make the
 * readings smaller than 30 % of the height.
 */
export function reach(
  data: readonly [number, number] | null,
  others: readonly number[],
  least = 1e-9,
): [min: number, max: number] {
  if (!data) {
    if (!others.length) return [0, 1];
    return padded(Math.min(...others), Math.max(...others), least);
  }
  let [min, max] = data;
  const span = Math.max(max - min, Math.abs(max) * 1e-3, least);
  const room = span / KEPT_SHARE - span;
  const [low, high] = [min, max];
  for (const one of [...others].sort((a, b) => distance(a, low, high) - distance(b, low, high))) {
    if (Math.max(max, one) - Math.min(min, one) > span + room) continue;
    min = Math.min(min, one);
    max = Math.max(max, one);
  }
  return padded(min, max, least);
}

/** Return the least and greatest value of a band within a stretch, null where it says nothing there. */
export function bandReach(band: Band, view: Stretch): [number, number] | null {
  let found: [number, number] | null = null;
  for (const [index, time] of band.times.entries()) {
    const low = band.low[index];
    const high = band.high[index];
    if (typeof low !== "number" || typeof high !== "number") continue;
    if (!band.isFlat && (time < view.from || time > view.to)) continue;
    found = found ? [Math.min(found[0], low), Math.max(found[1], high)] : [low, high];
  }
  return found;
}

function distance(value: number, low: number, high: number): number {
  return Math.max(low - value, value - high, 0);
}

function padded(min: number, max: number, least: number): [number, number] {
  const span = max - min;
  const pad = span > 0 ? span * 0.07 : Math.max(Math.abs(max) * 0.05, least * 10, 1e-6);
  return [min - pad, max + pad];
}
