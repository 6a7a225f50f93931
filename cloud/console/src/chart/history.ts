/** Readings for charts: read from the API as finely as the plot is wide, and followed live while the range ends now. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Answer, api } from "../api/client";
import { onNewest } from "../stores/devices";
import { link, POLL_S } from "../stores/link";
import { quickMs, type Range } from "./range";
import { type BadStretch, numeric, Trace } from "./trace";

/** What to read. */
export interface Wanted {
  device: string;
  metric: string;
  /** Read as much earlier, and show it as if it were now: to compare with yesterday. */
  earlierMs?: number;
}

/** What was read. */
export interface Read extends Wanted {
  key: string;
  unit: string;
  trace: Trace;
  /** What the trace covers. */
  range: Range;
  /** Width of a bucket where it was down-sampled, else null. */
  bucketMs: number | null;
}

type History = Answer<"/api/v1/historical_data">;
/** Readings are read anew once so many came live: those of a bucket are then one again. */
const MOST_LIVE = 3000;
const REREAD_MS = 90_000;
const SETTLE_MS = 150;
/** After a gap the readings in it may come late: read again so long after it. */
const HEAL_MS = [4_000, 20_000, 60_000] as const;

export const keyOf = (one: Wanted): string => `${one.device} ${one.metric} ${one.earlierMs ?? 0}`;

/** Return how often a live plot needs readings: twice a pixel, 1 to 10 a second. */
export function rateFor(spanMs: number, pixels: number): number {
  return Math.max(1, Math.min(10, Math.round((2000 * pixels) / spanMs)));
}

/** Return the history as a trace; its times moved by `earlierMs`. */
export function traceOf(history: History, earlierMs = 0): Trace {
  const times = history.timestamps.map((one) => Date.parse(one) + earlierMs);
  const bad: BadStretch[] = history.quality.map((run) => ({
    from: times[run.first] ?? Number.NaN,
    to: times[run.last] ?? Number.NaN,
    reason: run.reason,
  }));
  const completeness = history.completeness;
  const isOnChange = completeness !== null && completeness.expected === null;
  const gapMs = isOnChange
    ? Number.POSITIVE_INFINITY
    : history.bucket_s
      ? history.bucket_s * 1750
      : completeness
        ? completeness.period_s * 5000
        : undefined;
  return new Trace({ times, values: history.values.map(numeric), bad, gapMs });
}

/** Read one channel over a range; raises Refused, Unreachable. */
export async function readTrace(one: Wanted, range: Range, pixels: number, signal?: AbortSignal): Promise<Read> {
  const earlier = one.earlierMs ?? 0;
  const { data } = await api.get("/api/v1/historical_data", {
    query: {
      device_id: one.device,
      metric: one.metric,
      start: new Date(range.from - earlier).toISOString(),
      end: new Date(range.to - earlier).toISOString(),
      max_points: Math.max(200, 2 * pixels),
    },
    signal,
  });
  const bucketMs = data.bucket_s === null ? null : data.bucket_s * 1000;
  return { ...one, key: keyOf(one), unit: data.unit, trace: traceOf(data, earlier), range, bucketMs };
}

export interface Traces {
  traces: readonly Read[];
  error: Error | null;
  isLoading: boolean;
  reload: () => void;
}

/**
 * Read channels over a range, again when the range or the width changes; old curves stay until the new ones are there.
 * While the range is a quick one their ends follow the live feed, or are read each 5 s where there is none.
 */
export function useTraces(wanted: readonly Wanted[], range: Range, pixels: number): Traces {
  const state = useSignal<Omit<Traces, "reload">>({ traces: [], error: null, isLoading: true });
  const again = useSignal(0);
  const isFirst = useRef(true);
  const reread = () => {
    again.value += 1;
  };
  const span = range.quick ?? `${range.from} ${range.to}`;
  const names = wanted.map(keyOf).join("\n");
  const key = `${names}|${span}|${pixels}|${again.value}`;
  const current = useRef({ wanted, range });
  current.current = { wanted, range };
  const isLive = link.state.value === "live";

  useEffect(() => {
    if (pixels <= 0) return;
    const stop = new AbortController();
    const read = async () => {
      state.value = { ...state.value, isLoading: true };
      try {
        const asked = current.current;
        const traces = await Promise.all(asked.wanted.map((one) => readTrace(one, asked.range, pixels, stop.signal)));
        if (!stop.signal.aborted) state.value = { traces, error: null, isLoading: false };
      } catch (error) {
        if (stop.signal.aborted) return;
        const shown = error instanceof Error ? error : new Error(String(error));
        state.value = { ...state.value, error: shown, isLoading: false };
      }
    };
    const timer = setTimeout(read, isFirst.current ? 0 : SETTLE_MS);
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [key]);

  useEffect(() => {
    if (!range.quick) return;
    const devices = [...new Set(wanted.filter((one) => !one.earlierMs).map((one) => one.device))];
    const rate = rateFor(quickMs(range.quick), pixels || 600);
    const timers: ReturnType<typeof setTimeout>[] = [];
    const heal = () => {
      for (const timer of timers.splice(0)) clearTimeout(timer);
      for (const ms of HEAL_MS) timers.push(setTimeout(reread, ms));
    };
    const ends = [link.watch(devices, rate), followEnds(() => state.value.traces, heal)];
    const timer = setInterval(reread, isLive ? REREAD_MS : Math.max(POLL_S, 2 * wanted.length) * 1000);
    return () => {
      for (const end of ends) end();
      for (const one of timers) clearTimeout(one);
      clearInterval(timer);
    };
  }, [names, range.quick, pixels, isLive]);
  useEffect(() => link.on("open", reread), []);
  return { ...state.value, reload: reread };
}

/** Append what the feed tells to the traces of its device; `heal` is called where that leaves a gap. */
function followEnds(traces: () => readonly Read[], heal: () => void): () => void {
  return onNewest((device, told) => {
    const at = Date.parse(told.at);
    for (const one of traces()) {
      if (one.device !== device || one.earlierMs || !(one.metric in told.values)) continue;
      const reason = told.quality[one.metric] ?? "";
      const gaps = one.trace.gaps.length;
      one.trace.append(at, numeric(told.values[one.metric]), reason === "good" ? "" : reason);
      if (one.trace.gaps.length > gaps) heal();
      if (one.trace.times.length > MOST_LIVE && one.range.quick) one.trace.dropBefore(at - quickMs(one.range.quick));
    }
  });
}
