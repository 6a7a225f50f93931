/** Channels: limits, usual bands, bars. */
import { describe, expect, it } from "vitest";
import { Trace } from "../../chart/trace";
import { barRange, isRising, judge, type Limits, limitLines, usualBand } from "./channel";

const limits: Limits = { tag: "flow", low_crit: null, low_warn: 10, high_warn: 80, high_crit: 90 };

describe("limits", () => {
  it.each([
    [50, "normal"],
    [80, "normal"],
    [80.1, "warning"],
    [9, "warning"],
    [91, "critical"],
    [null, "normal"],
  ] as const)("judge %s as %s", (value, expected) => {
    expect(judge(value, limits)).toBe(expected);
    expect(judge(value, undefined)).toBe("normal");
  });

  it("must rise", () => {
    expect(isRising({})).toBe(true);
    expect(isRising({ low_crit: 1, high_warn: 3, high_crit: 4 })).toBe(true);
    expect(isRising({ high_warn: 3, high_crit: 3 })).toBe(false);
    expect(isRising({ low_warn: 5, high_crit: 4 })).toBe(false);
  });

  it("become lines, those that are not set none", () => {
    const lines = limitLines(limits, "l/min", (one) => one);
    expect(lines.map((one) => [one.label, one.value, one.tone, one.side])).toEqual([
      ["low_warn", 10, "warning", "below"],
      ["high_warn", 80, "warning", "above"],
      ["high_crit", 90, "critical", "above"],
    ]);
  });
});

describe("the usual band", () => {
  const times = Array.from({ length: 101 }, (_, i) => i * 1000);
  it("holds nine of ten readings", () => {
    const trace = new Trace({ times, values: times.map((at) => at / 1000) });
    expect(usualBand(trace, [])).toEqual({ low: 5, high: 95 });
  });
  it("leaves alarms out", () => {
    const trace = new Trace({ times, values: times.map((at) => (at >= 60_000 ? 9999 : 1)) });
    expect(usualBand(trace, [{ from: 60_000, to: 200_000 }])).toEqual({ low: 1, high: 1 });
  });
  it("is not known from a few readings", () => {
    expect(usualBand(new Trace({ times: [1, 2, 3], values: [1, 2, 3] }), [])).toBeNull();
  });
});

describe("bars", () => {
  it("show all there is, with room beside it", () => {
    const range = barRange(120, { low: 40, high: 60 }, limits);
    expect(range.low).toBeLessThan(10);
    expect(range.high).toBeGreaterThan(120);
    expect(barRange(null, null, undefined)).toEqual({ low: 0, high: 1 });
    expect(barRange(5, null, undefined).high).toBeGreaterThan(5);
  });
});
