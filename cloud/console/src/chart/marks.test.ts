/** Marks: where they stand, and that limits do not flatten readings. */
import { describe, expect, it } from "vitest";
import { type Band, bandReach, clusters, fan, flatBand, isBroken, lasting, type Period, reach, rows } from "./marks";

const VIEW = { from: 0, to: 1000 };
const period = (id: string, from: number, to: number, kind: Period["kind"] = "anomaly"): Period => ({
  id,
  from,
  to,
  kind,
  tone: "warning",
  label: id,
});

describe("rows of periods", () => {
  it("put what does not overlap into one row", () => {
    const placed = rows([period("a", 0, 100), period("b", 500, 600)], VIEW, 1000);
    expect(placed.map((one) => [one.item.id, one.row, one.left, one.width])).toEqual([
      ["a", 0, 0, 100],
      ["b", 0, 500, 100],
    ]);
  });

  it("put what overlaps below, and leave out what is out of sight", () => {
    const placed = rows([period("l", 0, 400, "label"), period("a", 100, 300), period("z", 2000, 3000)], VIEW, 1000);
    expect(placed.map((one) => [one.item.id, one.row])).toEqual([
      ["a", 0],
      ["l", 1],
    ]);
  });

  it("are at most as many as there is room for, and short ones can still be hit", () => {
    const many = Array.from({ length: 9 }, (_, i) => period(String(i), 500, 501));
    const placed = rows(many, VIEW, 1000, 3);
    expect(Math.max(...placed.map((one) => one.row))).toBe(2);
    expect(placed.every((one) => one.width >= 6)).toBe(true);
  });

  it("cut what begins before the view", () => {
    expect(rows([period("a", -500, 500)], VIEW, 1000)[0]).toMatchObject({ left: 0, width: 500 });
  });
});

describe("flags", () => {
  const flag = (id: string, at: number, tone: "critical" | "warning" = "warning") => ({ id, at, tone, label: id });
  it("that are near to one another are one, the worst first", () => {
    const found = clusters([flag("b", 5), flag("a", 0), flag("c", 8, "critical"), flag("d", 500)], VIEW, 1000);
    expect(found.map((one) => one.flags.map((each) => each.id))).toEqual([["c", "a", "b"], ["d"]]);
  });
  it("out of sight are left out", () => {
    expect(clusters([flag("a", -1), flag("b", 1001)], VIEW, 1000)).toEqual([]);
  });
});

describe("axes", () => {
  it("show a limit that is near", () => {
    const [min, max] = reach([10, 20], [25]);
    expect(min).toBeLessThan(10);
    expect(max).toBeGreaterThan(25);
  });
  it("leave out a limit that would flatten the readings", () => {
    expect(reach([10, 20], [500])[1]).toBeLessThan(25);
  });
  it("have room about a value that never changes, and something without readings", () => {
    for (const range of [reach([5, 5], []), reach([0, 0], []), reach(null, [3, 3]), reach(null, [])]) {
      expect(range[1]).toBeGreaterThan(range[0]);
    }
  });
  it("show a limit beside a value that never changes, if it is not far", () => {
    const [min, max] = reach([100, 100], [100.2]);
    expect(min).toBeLessThan(100);
    expect(max).toBeGreaterThan(100.2);
  });
});

describe("limits", () => {
  const limit = { value: 10, unit: "", label: "", tone: "critical", side: "above" } as const;
  it("are broken on their side only", () => {
    expect(isBroken(limit, [0, 11])).toBe(true);
    expect(isBroken(limit, [0, 10])).toBe(false);
    expect(isBroken({ ...limit, side: "below" }, [9, 50])).toBe(true);
    expect(isBroken(limit, null)).toBe(false);
  });
});

describe("bands", () => {
  it("of a fan are pairs of quantiles, the widest first", () => {
    const shares = [0.5, 0.9, 0.1, 0.99, 0.01];
    const bands = fan(
      [0, 1],
      shares.map((share) => ({ share, values: [share, share] })),
      "°C",
    );
    expect(bands.map((one) => one.label)).toEqual(["p1–p99", "p10–p90"]);
    expect(bands[0]?.strength).toBeLessThan(bands[1]?.strength ?? 0);
    expect(bands[1]?.low).toEqual([0.1, 0.1]);
  });
  it("reach as far as they do in view", () => {
    const band: Band = { unit: "", label: "", times: [0, 500, 2000], low: [1, 2, -99], high: [3, null, 99] };
    expect(bandReach(band, VIEW)).toEqual([1, 3]);
    expect(bandReach(flatBand("", "", 1, 2), VIEW)).toEqual([1, 2]);
    expect(bandReach({ ...band, high: [null, null, null] }, VIEW)).toBeNull();
  });
});

describe("what lasts at a time", () => {
  it("holds both ends", () => {
    const all = [period("a", 0, 10), period("b", 10, 20), period("c", 30, 40)];
    expect(lasting(all, 10).map((one) => one.id)).toEqual(["a", "b"]);
  });
});
