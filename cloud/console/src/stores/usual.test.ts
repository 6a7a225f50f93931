/** What is usual: by limits where there are any, else by the last hours. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { toneOf, usually, usualOf, wantUsual } from "./usual";

const limits = { tag: "flow", low_crit: 0, low_warn: 2, high_warn: 8, high_crit: 10 };
const points = Array.from({ length: 101 }, (_, index) => index);

test("without limits the band is where nine tenths of the points were", () => {
  const usual = usualOf("flow", [null, ...points, Number.NaN], undefined, "l/min");
  expect(usual.normal).toEqual({ low: 5, high: 95 });
  expect([usual.unit, usual.last, usual.limits]).toEqual(["l/min", 100, []]);
  expect(usual.range?.low).toBeLessThan(5);
  expect(usual.range?.high).toBeGreaterThan(95);
});

test("with limits the band is what they allow, and the range holds them all", () => {
  const usual = usualOf("flow", points, limits);
  expect(usual.normal).toEqual({ low: 2, high: 8 });
  expect(usual.limits).toEqual([0, 2, 8, 10]);
  expect(usual.range).toEqual({ low: -4, high: 14 });
});

test("a limit of one side leaves the other side to the points", () => {
  const usual = usualOf("flow", points, { tag: "flow", high_warn: 50, high_crit: 60 });
  expect(usual.normal).toEqual({ low: 5, high: 50 });
});

test("nothing is known of nothing", () => {
  const usual = usualOf("flow", [], undefined);
  expect([usual.normal, usual.range, usual.last]).toEqual([null, null, null]);
});

test("one value for ever still has a range around it", () => {
  expect(usualOf("flow", [4, 4, 4], undefined).range).toEqual({ low: 2.4, high: 5.6 });
});

test.each([
  [5, "normal"],
  [2, "normal"],
  [1.9, "warning"],
  [9, "warning"],
  [10.1, "critical"],
  [-0.1, "critical"],
  [null, "normal"],
])("%s is %s", (value, tone) => {
  expect(toneOf(value, usualOf("flow", points, limits))).toBe(tone);
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("it is asked two devices at a time, once in ten minutes, and not for what left the view", async () => {
  const open: (() => void)[] = [];
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    if (url.includes("/limits")) return Response.json([]);
    asked.push(new URL(url, "http://plant").searchParams.get("device_id") ?? "");
    await new Promise<void>((resolve) => open.push(resolve));
    return Response.json({ values: [1, 2, 3], unit: "A" });
  });
  const names = ["a", "b", "c", "d"];
  for (const one of names) usually(one, "flow");
  const [, , , leave] = names.map((one) => wantUsual(one, "flow", 1_000_000));
  expect(asked).toEqual(["a", "b"]);
  leave?.();
  open[0]?.();
  await vi.advanceTimersByTimeAsync(1);
  expect(usually("a", "flow").value?.unit).toBe("A");
  expect(asked).toEqual(["a", "b", "c"]);
  for (const answer of open) answer();
  await vi.advanceTimersByTimeAsync(1);
  wantUsual("a", "flow", 1_000_000 + 599_000);
  expect(asked).toEqual(["a", "b", "c"]);
  wantUsual("a", "flow", 1_000_000 + 601_000);
  expect(asked).toEqual(["a", "b", "c", "a"]);
  for (const answer of open) answer();
});
