/** What the API says of a history, as a trace. */
import { describe, expect, it } from "vitest";
import { rateFor, traceOf } from "./history";

const base = {
  device_id: "pump-1",
  metric: "flow",
  unit: "l/min",
  quality: [],
  completeness: null,
  next_cursor: null,
  tag: "flow",
  kind: "float",
  bucket_s: null,
} as unknown as Parameters<typeof traceOf>[0];
const times = (seconds: readonly number[]) =>
  seconds.map((one) => new Date(Date.UTC(2026, 0, 15) + one * 1000).toISOString());

describe("traceOf", () => {
  it("keeps readings that are absent, and says which are bad and why", () => {
    const trace = traceOf({
      ...base,
      timestamps: times([0, 1, 2, 3]),
      values: [1, null, 3, true],
      quality: [{ first: 1, last: 2, reason: "device lost" }],
    });
    expect(trace.values).toEqual([1, null, 3, 1]);
    expect(trace.bad).toEqual([
      { from: Date.UTC(2026, 0, 15) + 1000, to: Date.UTC(2026, 0, 15) + 2000, reason: "device lost" },
    ]);
  });

  it("moves an earlier time to the one it is compared with", () => {
    const trace = traceOf({ ...base, timestamps: times([0]), values: [1] }, 86_400_000);
    expect(trace.times).toEqual([Date.UTC(2026, 0, 16)]);
  });

  it("calls empty buckets a gap", () => {
    const trace = traceOf({ ...base, bucket_s: 10, timestamps: times([0, 5, 10, 40, 45]), values: [1, 2, 3, 4, 5] });
    expect(trace.gaps).toHaveLength(1);
  });

  it("knows no gap in what is reported on change", () => {
    const completeness = { period_s: 1, present: 3, expected: null, share: null, gap_count: 0, gaps: [] };
    const trace = traceOf({ ...base, completeness, timestamps: times([0, 1, 9000]), values: [1, 2, 3] });
    expect(trace.gaps).toEqual([]);
  });
});

describe("the rate of the live feed", () => {
  it("is two readings a pixel, one to ten a second", () => {
    expect(rateFor(60_000, 1000)).toBe(10);
    expect(rateFor(900_000, 1000)).toBe(2);
    expect(rateFor(86_400_000, 1000)).toBe(1);
  });
});
