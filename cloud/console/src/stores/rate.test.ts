/** Counting alarms by the hour, and the most within a span. */
import { afterEach, expect, test, vi } from "vitest";
import { json, serve } from "../testing/fakes";
import { HOUR_MS, mostWithin, perHour, readRate } from "./rate";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

afterEach(() => vi.unstubAllGlobals());

test("each alarm counts in its hour, the newest hour last, what is older not at all", () => {
  expect(perHour([ago(1), ago(59), ago(61), ago(179), ago(181), "no time"], 3, NOW)).toEqual([1, 1, 2]);
});

test("an alarm of a clock that is ahead counts in the newest hour", () => {
  expect(perHour([ago(-5)], 2, NOW)).toEqual([0, 1]);
});

test("the most within a span are found wherever they lie", () => {
  const times = [ago(100), ago(60), ago(59), ago(55), ago(51), ago(10)];
  expect(mostWithin(times.toReversed(), 600_000)).toBe(4);
  expect(mostWithin([ago(20), ago(10)], 600_000)).toBe(1);
  expect(mostWithin([], 600_000)).toBe(0);
});

test("few are counted here", async () => {
  const asked = serve(() => json([{ raised_at: ago(30) }, { raised_at: ago(90) }], 200, { "x-total-count": "2" }));
  expect(await readRate(2, NOW)).toEqual([1, 1]);
  expect(asked).toHaveLength(1);
});

test("many are counted by the server, hour by hour, the newest open at its end", async () => {
  const asked = serve(({ url }) => {
    const from = new URL(url, "http://plant").searchParams.get("from") ?? "";
    const hours = Math.round((NOW - Date.parse(from)) / HOUR_MS);
    return json([{ raised_at: from }], 200, { "x-total-count": String(hours === 3 ? 9_000 : hours * 1000) });
  });
  expect(await readRate(3, NOW)).toEqual([9_000, 2_000, 1_000]);
  const last = new URL(asked.at(-1)?.url ?? "", "http://plant").searchParams.get("to") ?? "";
  expect(Date.parse(last)).toBeGreaterThan(NOW);
});
