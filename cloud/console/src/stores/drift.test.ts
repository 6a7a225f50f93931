import { describe, expect, test } from "vitest";
import { type DriftCheck, rankOf, verdictOf } from "./drift";
import { barShare, metricsOf, type Run } from "./experiments";

const check = (told: object): DriftCheck =>
  ({
    drift_detected: false,
    corrected: { drift_detected: false },
    recent_count: 60,
    baseline_count: 60,
    is_lasting: false,
    ...told,
  }) as unknown as DriftCheck;

describe("a drift check", () => {
  test("is told by its corrected verdict", () => {
    expect(verdictOf(check({ corrected: { drift_detected: true } }))).toBe("found");
    expect(verdictOf(check({ corrected: { drift_detected: true }, is_lasting: true }))).toBe("lasting");
    expect(verdictOf(check({ drift_detected: true }))).toBe("plain");
    expect(verdictOf(check({}))).toBe("no");
  });

  test("of too few readings is neither drift nor none", () => {
    expect(verdictOf(check({ recent_count: 0, corrected: null }))).toBe("few");
  });

  test("stands before those that are less bad", () => {
    expect(rankOf(check({ is_lasting: true }))).toBeLessThan(rankOf(check({})));
  });
});

test("runs are drawn against the greatest value", () => {
  const runs = [
    { value: 0.5, metrics: { f1: 0.5, recall: 1 } },
    { value: 1, metrics: { f1: 1 } },
    { value: null, metrics: {} },
  ] as unknown as Run[];
  expect(runs.map((one) => barShare(one.value, runs))).toEqual([0.5, 1, 0]);
  expect(metricsOf(runs)).toEqual(["f1", "recall"]);
});
