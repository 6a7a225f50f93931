/** What is usual for each channel of a device: its last day, alarms left out. Read once in a while, one after another. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refused } from "../../api/errors";
import { readTrace } from "../../chart/history";
import type { Stretch } from "../../chart/trace";
import type { Band } from "../../parts/bar";
import { usualBand } from "./channel";

export interface Surveyed {
  unit: string;
  usual: Band | null;
  /** When the first reading of the last day was taken, ms since 1970; NaN without any. */
  firstAt: number;
  /** The newest stored reading. */
  last: { at: number; value: number } | null;
}

const DAY_MS = 86_400_000;
const GOOD_FOR_MS = 10 * 60_000;
const PIXELS = 300;
/** With fewer points a day is mostly empty: what there is of it is read more finely. */
const FEW = 200;
const MOST_KEPT = 600;

interface Kept {
  found: Surveyed;
  readAt: number;
}
const kept = signal<ReadonlyMap<string, Kept>>(new Map());
const keyOf = (device: string, channel: string): string => `${device}\n${channel}`;

export function surveyed(device: string, channel: string): Surveyed | undefined {
  return kept.value.get(keyOf(device, channel))?.found;
}

/** Return how much of the last day the readings of a device cover, ms; NaN before that is known. */
export function knownFor(device: string, channels: readonly string[]): number {
  const firsts = channels.map((one) => surveyed(device, one)?.firstAt ?? Number.NaN).filter(Number.isFinite);
  return firsts.length ? Date.now() - Math.min(...firsts) : Number.NaN;
}

/** Read what is not known of these channels, or was read long ago. */
export function useSurvey(device: string, channels: readonly string[], alarms: readonly Stretch[] | null): void {
  const isReady = alarms !== null;
  useEffect(() => {
    const stop = new AbortController();
    if (isReady) void survey(device, channels, alarms, stop.signal);
    return () => stop.abort();
  }, [device, channels.join("\n"), isReady]);
}

async function survey(
  device: string,
  channels: readonly string[],
  alarms: readonly Stretch[],
  stop: AbortSignal,
): Promise<void> {
  for (const channel of channels) {
    const known = kept.value.get(keyOf(device, channel));
    if (known && Date.now() - known.readAt < GOOD_FOR_MS) continue;
    const found = await look(device, channel, alarms, stop);
    if (stop.aborted) return;
    if (found) keep(keyOf(device, channel), found);
  }
}

/** Read one channel; null where it cannot be read. A server that is asked too much is asked again when it says. */
async function look(
  device: string,
  metric: string,
  alarms: readonly Stretch[],
  stop: AbortSignal,
): Promise<Surveyed | null> {
  for (;;) {
    const now = Date.now();
    try {
      const day = { from: now - DAY_MS, to: now, quick: null };
      const coarse = await readTrace({ device, metric }, day, PIXELS, stop);
      const firstAt = coarse.trace.times[0] ?? Number.NaN;
      const isYoung = coarse.bucketMs !== null && coarse.trace.times.length < FEW;
      const read = isYoung ? await readTrace({ device, metric }, { ...day, from: firstAt }, PIXELS, stop) : coarse;
      return {
        unit: read.unit,
        usual: usualBand(read.trace, alarms),
        firstAt,
        last: read.trace.last,
      };
    } catch (error) {
      if (stop.aborted || !(error instanceof Refused) || error.status !== 429) return null;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(5, error.retryAfterS)));
      if (stop.aborted) return null;
    }
  }
}

function keep(key: string, found: Surveyed): void {
  const next = new Map(kept.value).set(key, { found, readAt: Date.now() });
  for (const old of next.keys()) {
    if (next.size <= MOST_KEPT) break;
    next.delete(old);
  }
  kept.value = next;
}
