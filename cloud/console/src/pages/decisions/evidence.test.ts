import { expect, test } from "vitest";
import { pageOf, sortOut } from "./evidence";

test("a recommendation's alarms stand with the alarms, its other evidence as facts", () => {
  const told = sortOut({
    rule: "falling_health",
    composite_score: 0.82,
    evidence: [
      { kind: "health_score", id: "pump-1", facts: { score: 0.61, tag: "vibration", low: null } },
      { kind: "alarm", id: "a-1", facts: {} },
    ],
  });
  expect(told.alarms).toEqual(["a-1"]);
  expect(told.facts).toEqual([
    {
      kind: "health_score",
      id: "pump-1",
      pairs: [
        ["score", 0.61],
        ["tag", "vibration"],
      ],
    },
  ]);
  expect(told.rest).toEqual([
    ["rule", "falling_health"],
    ["composite_score", 0.82],
  ]);
});

test("two models are compared figure by figure, also where the old one lacks one", () => {
  const { figures, rest } = sortOut({
    retraining: "r-1",
    figures: { candidates: 3, champion: { found: 4 }, challenger: { found: 5, alarms_per_day: 0.4 } },
  });
  expect(figures).toEqual([
    { figure: "found", before: 4, after: 5 },
    { figure: "alarms_per_day", before: null, after: 0.4 },
  ]);
  expect(rest).toEqual([
    ["retraining", "r-1"],
    ["candidates", 3],
  ]);
});

test("a note and a reasoning are sentences, and nothing that is unknown is left out", () => {
  const told = sortOut({ note: "loud", reasoning: "150 messages/s", strange: [1, 2], empty: [] });
  expect(told.says).toEqual(["loud", "150 messages/s"]);
  expect(told.rest).toEqual([["strange", [1, 2]]]);
});

test("evidence of another shape than expected breaks nothing", () => {
  expect(sortOut({ evidence: "text", alarms: null, figures: 7 })).toEqual({
    says: [],
    alarms: [],
    facts: [],
    figures: [],
    rest: [],
  });
});

test("facts lead to the page that tells more", () => {
  expect(pageOf("series", "pump 1/flow")).toBe("/devices/pump%201");
  expect(pageOf("whatever", "x")).toBeNull();
});
