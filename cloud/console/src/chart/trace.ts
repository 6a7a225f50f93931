/** A trace: readings of one channel over a time, with its gaps and what was read badly; it grows at its end while live. */
import { type Signal, signal } from "@preact/signals";

/** A stretch of time, in ms since 1970. */
export interface Stretch {
  from: number;
  to: number;
}

/** A stretch of readings that are not good, and why. */
export interface BadStretch extends Stretch {
  reason: string;
}

export interface Readings {
  /** Times in ms since 1970, rising. */
  times: readonly number[];
  /** Null: nothing was read at that time. */
  values: readonly (number | null)[];
  /** The usual time between two readings, ms; guessed where it is not given. */
  stepMs?: number;
  /** From how long a silence is a gap, where that is known better. */
  gapMs?: number;
  bad?: readonly BadStretch[];
}

const GAP_STEPS = 5;
/** A reading missing or two is what every source does now and then; nobody looks at a hole of a second. */
const LEAST_GAP_MS = 3000;
/** What is stored reaches a question later than the feed: at the seam of both a few seconds say nothing. */
const LEAST_LIVE_GAP_MS = 8000;

/** Return the middle of the steps between times, 0 with fewer than three. */
export function usualStep(times: readonly number[]): number {
  if (times.length < 3) return 0;
  const every = Math.max(1, Math.floor(times.length / 500));
  const steps: number[] = [];
  for (let i = every; i < times.length; i += every) steps.push(((times[i] ?? 0) - (times[i - every] ?? 0)) / every);
  steps.sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Return what a down-sampled or raw answer of the API says as numbers: true is 1, texts and what is absent are null. */
export function numeric(value: unknown): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Readings that a chart draws; `changed` counts what was appended. */
export class Trace {
  readonly times: number[];
  readonly values: (number | null)[];
  readonly bad: BadStretch[];
  readonly gaps: Stretch[] = [];
  readonly changed: Signal<number> = signal(0);
  private readonly gapMs: number;

  constructor(readings: Readings) {
    const { times, values } = readings;
    const step = readings.stepMs || usualStep(times);
    this.gapMs = Math.max(LEAST_GAP_MS, readings.gapMs ?? (step ? step * GAP_STEPS : Number.POSITIVE_INFINITY));
    this.times = [];
    this.values = [];
    this.bad = [...(readings.bad ?? [])];
    for (const [index, time] of times.entries()) this.put(time, values[index] ?? null, this.gapMs);
  }

  /** Return the newest value that there is, null where there is none. */
  get last(): { at: number; value: number } | null {
    for (let i = this.values.length - 1; i >= 0; i -= 1) {
      const value = this.values[i];
      if (value !== null && value !== undefined) return { at: this.times[i] ?? Number.NaN, value };
    }
    return null;
  }

  /** Add a reading at the end; one that is not newer than the last changes nothing. */
  append(at: number, value: number | null, reason = ""): boolean {
    if (at <= (this.times.at(-1) ?? Number.NEGATIVE_INFINITY)) return false;
    const before = this.times.at(-1) ?? at;
    this.put(at, value, Math.max(this.gapMs, LEAST_LIVE_GAP_MS));
    if (reason) this.spoil(before, at, reason);
    this.changed.value += 1;
    return true;
  }

  /** Return the gap between the last reading and now, null where it is none yet. */
  openGap(now: number): Stretch | null {
    const last = this.times.at(-1);
    if (last === undefined || now - last <= Math.max(this.gapMs, LEAST_LIVE_GAP_MS)) return null;
    return { from: last, to: now };
  }

  /** Forget what is older. */
  dropBefore(at: number): void {
    let count = 0;
    while (count < this.times.length && (this.times[count] ?? at) < at) count += 1;
    if (count < 512) return;
    this.times.splice(0, count);
    this.values.splice(0, count);
  }

  private put(at: number, value: number | null, gapMs: number): void {
    const before = this.times.at(-1);
    if (before !== undefined && at - before > gapMs) {
      this.gaps.push({ from: before, to: at });
      this.times.push((before + at) / 2);
      this.values.push(null);
    }
    this.times.push(at);
    this.values.push(value);
  }

  private spoil(from: number, to: number, reason: string): void {
    const last = this.bad.at(-1);
    if (last && last.reason === reason && last.to >= from) last.to = to;
    else this.bad.push({ from, to, reason });
  }
}

/** Return the least, greatest and newest value within a stretch, null where nothing was read there. */
export function summary(trace: Trace, view: Stretch): { min: number; max: number; last: number } | null {
  let found: { min: number; max: number; last: number } | null = null;
  for (const [index, time] of trace.times.entries()) {
    const value = trace.values[index];
    if (value === null || value === undefined || time < view.from || time > view.to) continue;
    found = found
      ? { min: Math.min(found.min, value), max: Math.max(found.max, value), last: value }
      : { min: value, max: value, last: value };
  }
  return found;
}

type Column = (number | null | undefined)[];

/**
 * Put traces with times of their own on one row of times. Null is a gap, undefined says that a trace has no reading
 * at a time of another one, so that its line goes on.
 */
export function align(traces: readonly Pick<Trace, "times" | "values">[]): [times: number[], ...columns: Column[]] {
  const [only] = traces;
  if (traces.length === 1 && only) return [only.times as number[], only.values as Column];
  const next = traces.map(() => 0);
  const times: number[] = [];
  const columns: Column[] = traces.map(() => []);
  for (;;) {
    let soonest = Number.POSITIVE_INFINITY;
    for (const [i, trace] of traces.entries()) soonest = Math.min(soonest, trace.times[next[i] ?? 0] ?? soonest);
    if (soonest === Number.POSITIVE_INFINITY) return [times, ...columns];
    times.push(soonest);
    for (const [i, trace] of traces.entries()) {
      const at = next[i] ?? 0;
      const isHere = trace.times[at] === soonest;
      columns[i]?.push(isHere ? trace.values[at] : undefined);
      if (isHere) next[i] = at + 1;
    }
  }
}

/** Return the value of a trace nearest to a time, if it is within `reachMs`. */
export function nearest(trace: Pick<Trace, "times" | "values">, at: number, reachMs: number): number | null {
  const { times, values } = trace;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const before = Math.max(0, low - 1);
  const isBefore = Math.abs((times[before] ?? Number.NaN) - at) < Math.abs((times[low] ?? Number.NaN) - at);
  const found = isBefore ? before : low;
  return Math.abs((times[found] ?? Number.NaN) - at) <= reachMs ? (values[found] ?? null) : null;
}
