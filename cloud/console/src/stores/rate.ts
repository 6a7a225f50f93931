/** How many alarms were raised in each hour: the rate that tells a calm plant from a flood. */
import { api } from "../api/client";
import { ms } from "../time/zone";

export const HOUR_MS = 3_600_000;
const MOST = 2_000;

/** Return how many of these moments lie in each of the last `hours` hours, the oldest first. */
export function perHour(moments: readonly string[], hours: number, now: number): number[] {
  const counts = new Array<number>(hours).fill(0);
  for (const moment of moments) {
    const back = Math.floor((now - ms(moment)) / HOUR_MS);
    const index = hours - 1 - Math.max(0, back);
    if (index >= 0 && Number.isFinite(index)) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

/** Return the most moments within any span of so many ms: over 10 in 10 minutes is a flood. */
export function mostWithin(moments: readonly string[], span: number): number {
  const times = moments.map((one) => ms(one)).sort((one, other) => one - other);
  let first = 0;
  let most = 0;
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= span) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Ask how many alarms were raised in each of the last `hours` hours; many are counted by the server. */
export async function readRate(hours = 24, now = Date.now()): Promise<number[]> {
  const from = new Date(now - hours * HOUR_MS).toISOString();
  const { data, total } = await api.get("/api/v1/alerts", { query: { from, limit: MOST } });
  if ((total ?? 0) <= data.length) {
    return perHour(
      data.map((one) => one.raised_at),
      hours,
      now,
    );
  }
  const counts: number[] = [];
  for (let hour = hours; hour > 0; hour -= 1) counts.push(await countBetween(now - hour * HOUR_MS, hour, now));
  return counts;
}

async function countBetween(from: number, hour: number, now: number): Promise<number> {
  const to = hour === 1 ? now + HOUR_MS : from + HOUR_MS;
  const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), limit: 1 };
  const { data, total } = await api.get("/api/v1/alerts", { query });
  return total ?? data.length;
}
