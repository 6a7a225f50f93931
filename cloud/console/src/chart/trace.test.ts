/** Traces: gaps stay gaps, readings come once, rows of times are shared. */
import { describe, expect, it } from "vitest";
import { align, nearest, numeric, summary, Trace, usualStep } from "./trace";

const every = (step: number, count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i * step);

describe("Trace", () => {
  it("breaks the line where nothing was read for long", () => {
    const times = [...every(1000, 10), ...every(1000, 10, 60_000)];
    const trace = new Trace({ times, values: times.map(() => 1) });
    expect(trace.gaps).toEqual([{ from: 9000, to: 60_000 }]);
    expect(trace.values.filter((one) => one === null)).toHaveLength(1);
    expect(trace.times).toEqual([...trace.times].sort((a, b) => a - b));
  });

  it("does not call a late reading a gap", () => {
    const trace = new Trace({ times: [0, 100, 200, 300, 1500, 1600], values: [1, 1, 1, 1, 1, 1] });
    expect(trace.gaps).toEqual([]);
  });

  it("takes each live reading once, and none that is older", () => {
    const trace = new Trace({ times: every(1000, 5), values: [1, 2, 3, 4, 5] });
    const before = trace.changed.value;
    expect(trace.append(4000, 9)).toBe(false);
    expect(trace.append(3500, 9)).toBe(false);
    expect(trace.append(5000, 6)).toBe(true);
    expect(trace.last).toEqual({ at: 5000, value: 6 });
    expect(trace.changed.value).toBe(before + 1);
  });

  it("joins bad readings that follow one another for the same reason", () => {
    const trace = new Trace({ times: every(1000, 3), values: [1, 2, 3] });
    trace.append(3000, null, "device lost");
    trace.append(4000, null, "device lost");
    trace.append(5000, 3, "out of range");
    expect(trace.bad.map((one) => [one.from, one.to, one.reason])).toEqual([
      [2000, 4000, "device lost"],
      [4000, 5000, "out of range"],
    ]);
    expect(trace.last).toEqual({ at: 5000, value: 3 });
  });

  it("is open at its end once nothing came for long", () => {
    const trace = new Trace({ times: every(1000, 5), values: [1, 2, 3, 4, 5] });
    expect(trace.openGap(9000)).toBeNull();
    expect(trace.openGap(60_000)).toEqual({ from: 4000, to: 60_000 });
    expect(new Trace({ times: [], values: [] }).openGap(60_000)).toBeNull();
  });

  it("forgets what is older, many at a time", () => {
    const trace = new Trace({ times: every(1000, 2000), values: every(1, 2000) });
    trace.dropBefore(1_000_000);
    expect(trace.times[0]).toBe(1_000_000);
    expect(trace.values[0]).toBe(1000);
    expect(trace.times).toHaveLength(trace.values.length);
  });
});

describe("numbers of a trace", () => {
  it("are those that can be drawn", () => {
    expect([1.5, true, false, "on", null, Number.NaN].map(numeric)).toEqual([1.5, 1, 0, null, null, null]);
  });

  it("have a usual step that a gap does not change", () => {
    expect(usualStep([...every(1000, 50), ...every(1000, 50, 1e7)])).toBe(1000);
    expect(usualStep([1, 2])).toBe(0);
  });

  it("are summed up within the view only", () => {
    const trace = new Trace({ times: every(1000, 5), values: [9, 2, 3, 4, -9] });
    expect(summary(trace, { from: 1000, to: 3000 })).toEqual({ min: 2, max: 4, last: 4 });
    expect(summary(trace, { from: 90_000, to: 99_000 })).toBeNull();
  });

  it("are found near a time, not far from it", () => {
    const trace = { times: [0, 10, 20], values: [1, 2, 3] };
    expect(nearest(trace, 12, 5)).toBe(2);
    expect(nearest(trace, 16, 5)).toBe(3);
    expect(nearest(trace, 60, 5)).toBeNull();
    expect(nearest({ times: [], values: [] }, 1, 5)).toBeNull();
  });
});

describe("align", () => {
  it("keeps one trace as it is", () => {
    const trace = { times: [1, 2], values: [3, null] };
    expect(align([trace])).toEqual([
      [1, 2],
      [3, null],
    ]);
  });

  it("puts traces on one row of times, gaps as null, absent readings as undefined", () => {
    const one = { times: [1, 3, 5], values: [10, null, 30] };
    const other = { times: [2, 3], values: [7, 8] };
    expect(align([one, other])).toEqual([
      [1, 2, 3, 5],
      [10, undefined, null, 30],
      [undefined, 7, 8, undefined],
    ]);
  });

  it("is empty without readings", () => {
    expect(align([])).toEqual([[]]);
    expect(align([{ times: [], values: [] }])).toEqual([[], []]);
  });
});
