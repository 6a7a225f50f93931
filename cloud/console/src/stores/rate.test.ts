/** The alarms of each hour as the server counts them, and the most within a span. */
import { afterEach, expect, test, vi } from "vitest";
import { json, serve } from "../testing/fakes";
import { mostWithin, readRate } from "./rate";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

afterEach(() => vi.unstubAllGlobals());

test("the most within a span are found wherever they lie", () => {
  const times = [ago(100), ago(60), ago(59), ago(55), ago(51), ago(10)];
  expect(mostWithin(times.toReversed(), 600_000)).toBe(4);
  expect(mostWithin([ago(20), ago(10)], 600_000)).toBe(1);
  expect(mostWithin([], 600_000)).toBe(0);
});

test("the server counts, hour by hour", async () => {
  const asked = serve(() => json({ counts: [9_000, 0, 1], total: 9_001 }));
  expect(await readRate(3)).toEqual([9_000, 0, 1]);
  expect(asked.map((one) => one.url)).toEqual(["/api/v1/alerts/rate?hours=3"]);
});
