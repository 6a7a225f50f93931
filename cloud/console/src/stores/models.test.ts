import { describe, expect, test } from "vitest";
import type { Gateway } from "./gateways";
import { comparison, difference, keyFigures, latency, sizeOf, usesOf, type Version } from "./models";
import { goodShare, groupsOf, type Rollout, type RolloutStory, readGroups } from "./rollouts";

const version = (told: Partial<Version>): Version =>
  ({ version: 1, metrics: {}, comparison: null, files: {}, ...told }) as Version;

describe("difference", () => {
  test("says better or worse where it is known which way is better", () => {
    expect(difference("f1", 0.8, 0.9)).toEqual({ verdict: "better", share: expect.closeTo(0.125) });
    expect(difference("mae", 2, 3).verdict).toBe("worse");
    expect(difference("independent_rows", 2, 3).verdict).toBe("higher");
  });

  test("is none within half a percent, and unknown where one was not measured", () => {
    expect(difference("f1", 0.9, 0.901).verdict).toBe("same");
    expect(difference("f1", null, 0.9)).toEqual({ verdict: "unknown", share: null });
    expect(difference("false_alarms", 0, 2)).toEqual({ verdict: "worse", share: null });
  });
});

describe("comparison", () => {
  const champion = version({ version: 2, metrics: { mae: 9 } });
  test("is on the same rows where the challenger was judged beside this champion", () => {
    const told = {
      champion: 2,
      champion_metrics: { mae: 3 },
      challenger_metrics: { mae: 2, rows: 5 },
      is_better: true,
    };
    const found = comparison(champion, version({ version: 3, metrics: { mae: 8 }, comparison: told }));
    expect(found).toEqual({
      isSameRows: true,
      isBetter: true,
      pairs: [
        { metric: "mae", champion: 3, challenger: 2 },
        { metric: "rows", champion: null, challenger: 5 },
      ],
    });
  });

  test("is by each one's own rows where it was judged beside another one", () => {
    const told = { champion: 1, champion_metrics: { mae: 3 }, challenger_metrics: { mae: 2 }, is_better: true };
    const found = comparison(champion, version({ version: 3, metrics: { mae: 8 }, comparison: told }));
    expect(found).toEqual({
      isSameRows: false,
      isBetter: null,
      pairs: [{ metric: "mae", champion: 9, challenger: 8 }],
    });
  });
});

test("the size of a version is that of its package where it has one", () => {
  expect(sizeOf(version({ files: { "package.lsp": 1008, "model.json": 7 } }))).toBe(1008);
  expect(sizeOf(version({ files: { "a.txt": 3, "b.txt": 4 } }))).toBe(7);
});

test("who runs a version, and what a row takes there", () => {
  const told = [
    {
      gateway_id: "gw-1",
      models: [
        { name: "pump", version: 1, device: "a", invoke_us: 300 },
        { name: "pump", version: 2, device: "b", invoke_us: 500 },
        { name: "oven", version: 1, device: "c", invoke_us: 900 },
      ],
    },
  ] as unknown as Gateway[];
  expect(usesOf(told, "pump").map((one) => one.device)).toEqual(["a", "b"]);
  expect(latency(usesOf(told, "pump"))).toBe(400);
  expect(usesOf(told, "pump", 2).map((one) => one.gateway)).toEqual(["gw-1"]);
  expect(latency([])).toBeNull();
});

test("key figures are those that say most", () => {
  expect(keyFigures({ base_rate: 0.1, recall: 0.9, f1: 0.8, auc_roc: 0.99 })).toEqual([
    ["f1", 0.8],
    ["recall", 0.9],
  ]);
});

describe("rollouts", () => {
  const story = {
    group: 1,
    groups: [5, 100],
    members: [
      { group: 1, verdict: "good", told_at: "2026-01-15T10:00:00Z" },
      { group: 1, verdict: "failed", told_at: "2026-01-15T10:00:00Z" },
      { group: 2, verdict: "pending", told_at: null },
    ],
  } as unknown as RolloutStory;

  test("tell how far each group is", () => {
    const [first, second] = groupsOf(story);
    expect(first).toMatchObject({ number: 1, upTo: 5, total: 2, hasBegun: true });
    expect(first?.counts).toEqual({ good: 1, waiting: 0, away: 0, failed: 1, pending: 0 });
    expect(second).toMatchObject({ total: 1, hasBegun: false });
  });

  test("are as far as their good devices", () => {
    expect(goodShare({ targets: { good: 1, pending: 3, back: 2 } } as unknown as Rollout)).toBe(0.25);
    expect(goodShare({ targets: {} } as unknown as Rollout)).toBe(0);
  });

  test("take groups that rise to at most 100", () => {
    expect(readGroups("5, 25 100")).toEqual([5, 25, 100]);
    for (const text of ["", "5, 5", "50, 25", "120", "a"]) expect(readGroups(text)).toBeNull();
  });
});
