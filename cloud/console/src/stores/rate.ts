/** How many alarms were raised in each hour: the rate that tells a calm plant from a flood. */
import { api } from "../api/client";
import { ms } from "../time/zone";

export const HOUR_MS = 3_600_000;

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

/** Ask how many alarms were raised in each of the last `hours` hours, the oldest first. */
export async function readRate(hours = 24): Promise<readonly number[]> {
  return (await api.get("/api/v1/alerts/rate", { query: { hours } })).data.counts;
}
