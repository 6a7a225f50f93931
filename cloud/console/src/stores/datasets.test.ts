import { describe, expect, test } from "vitest";
import { datasetId, extents, PAGE, Rows } from "./datasets";
import { chosen, type Label } from "./labels";

const page = (offset: number, size: number) => Array.from({ length: size }, (_, index) => ({ n: offset + index }));

describe("rows of a dataset", () => {
  test("are read by the page, once, when somebody looks", async () => {
    const asked: number[] = [];
    const rows = new Rows(9_600, async (offset, size) => {
      asked.push(offset);
      return page(offset, size);
    });
    expect(rows.at(5_400)).toBeUndefined();
    expect(rows.at(5_401)).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve));
    expect(rows.at(5_400)).toEqual({ n: 5_400 });
    expect(asked).toEqual([5 * PAGE]);
    expect(rows.version.value).toBe(1);
  });

  test("give a column as far as there is no gap", async () => {
    const rows = new Rows(2_500, async (offset) => page(offset, Math.min(PAGE, 2_500 - offset)));
    await rows.readFirst(10_000);
    const values = rows.numbers("n");
    expect([values.length, values.at(-1)]).toEqual([2_500, 2_499]);
    expect(rows.numbers("other").every(Number.isNaN)).toBe(true);
  });

  test("that cannot be read are tried again when asked to", async () => {
    let isAway = true;
    const rows = new Rows(10, async (offset) => {
      if (isAway) throw new Error("away");
      return page(offset, 10);
    });
    await rows.readFirst(10);
    expect(rows.error.value?.message).toBe("away");
    isAway = false;
    rows.retry();
    await rows.readFirst(10);
    expect(rows.at(3)).toEqual({ n: 3 });
  });
});

describe("extents", () => {
  test("keep every peak, and say where there is nothing", () => {
    const values = Array.from({ length: 1_000 }, (_, index) => (index === 437 ? 99 : 1));
    expect(Math.max(...extents(values, 100).map((one) => one?.high ?? 0))).toBe(99);
    expect(extents([Number.NaN, 2], 2)).toEqual([null, { low: 2, high: 2 }]);
    expect(extents([], 10)).toEqual([]);
    expect(extents([1, 2], 10)).toHaveLength(2);
  });
});

test("a dataset has one id, however a job writes it", () => {
  const id = "0197f3a2-5c1e-7d40-9a6b-001122334455";
  expect(datasetId("0197f3a25c1e7d409a6b001122334455")).toBe(id);
  expect(datasetId("file_0197f3a25c1e7d409a6b001122334455")).toBe(id);
  expect(datasetId(id)).toBe(id);
});

test("labels are chosen by device and verdict, the newest first", () => {
  const label = (id: number, device: string, verdict: string, from: string) =>
    ({ id, device_id: device, verdict, from }) as Label;
  const all = [
    label(1, "pump-1", "true_fault", "2026-01-01T00:00:00Z"),
    label(2, "pump-1", "false_alarm", "2026-01-02T00:00:00Z"),
    label(3, "oven-1", "true_fault", "2026-01-03T00:00:00Z"),
  ];
  expect(chosen(all, "", "").map((one) => one.id)).toEqual([3, 2, 1]);
  expect(chosen(all, "pump-1", "").map((one) => one.id)).toEqual([2, 1]);
  expect(chosen(all, "", "true_fault").map((one) => one.id)).toEqual([3, 1]);
});
