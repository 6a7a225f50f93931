/** Forecasts of one horizon against what then came, in order of time, as a chart takes them. */

export interface Past {
  horizon_minutes: number;
  timestamp: string;
  predicted_value: number;
  prediction_p1: number;
  prediction_p10: number;
  prediction_p90: number;
  prediction_p99: number;
  actual_value: number | null;
}

export interface Foretold {
  times: number[];
  p1: number[];
  p10: number[];
  p50: number[];
  p90: number[];
  p99: number[];
}

export interface Course {
  foretold: Foretold;
  actual: { times: number[]; values: number[] };
}

/** Return the fan of a horizon; what came is taken from the forecasts of every horizon, once a time. */
export function courseOf(forecasts: readonly Past[], horizonMinutes: number): Course {
  const foretold: Foretold = { times: [], p1: [], p10: [], p50: [], p90: [], p99: [] };
  const came = new Map<number, number>();
  const sorted = [...forecasts].sort((one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp));
  for (const one of sorted) {
    const at = Date.parse(one.timestamp);
    if (one.actual_value !== null) came.set(at, one.actual_value);
    // The last one that was issued for a time counts, such as after a restart.
    if (one.horizon_minutes !== horizonMinutes || foretold.times.at(-1) === at) continue;
    foretold.times.push(at);
    foretold.p1.push(one.prediction_p1);
    foretold.p10.push(one.prediction_p10);
    foretold.p50.push(one.predicted_value);
    foretold.p90.push(one.prediction_p90);
    foretold.p99.push(one.prediction_p99);
  }
  return { foretold, actual: { times: [...came.keys()], values: [...came.values()] } };
}

interface Page<T> {
  predictions: readonly T[];
}

/** Read all pages of a range whose answers are limited, the newest first: each goes on before the oldest of the last. */
export async function readAll<T extends { timestamp: string }>(
  ask: (end: string | undefined) => Promise<Page<T>>,
  size: number,
  pages = 8,
): Promise<T[]> {
  const found: T[] = [];
  let end: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    const { predictions } = await ask(end);
    found.push(...predictions);
    const oldest = predictions.at(-1)?.timestamp;
    if (predictions.length < size || !oldest || oldest === end) break;
    end = oldest;
  }
  return found;
}
