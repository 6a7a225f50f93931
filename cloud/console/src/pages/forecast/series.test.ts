import { expect, test } from "vitest";
import { courseOf, type Past, readAll } from "./series";

function past(minute: number, horizon: number, actual: number | null = null, value = 10): Past {
  return {
    horizon_minutes: horizon,
    timestamp: new Date(Date.UTC(2026, 0, 15, 0, minute)).toISOString(),
    predicted_value: value,
    prediction_p1: value - 2,
    prediction_p10: value - 1,
    prediction_p90: value + 1,
    prediction_p99: value + 2,
    actual_value: actual,
  };
}

test("the fan is of one horizon and in order of time, what came of all of them", () => {
  const { foretold, actual } = courseOf([past(30, 15), past(15, 60, 7), past(20, 15, 8), past(20, 60, 8)], 15);
  expect(foretold.times).toEqual([Date.UTC(2026, 0, 15, 0, 20), Date.UTC(2026, 0, 15, 0, 30)]);
  expect(foretold.p90).toEqual([11, 11]);
  expect(actual.values).toEqual([7, 8]);
});

test("a time that was foretold twice stands once", () => {
  expect(courseOf([past(20, 15, null, 5), past(20, 15, null, 6)], 15).foretold.times).toHaveLength(1);
});

test("nothing foretold is an empty fan", () => {
  expect(courseOf([], 15).foretold.times).toEqual([]);
});

test("pages are read until one is not full, each before the oldest of the last", async () => {
  const all = [5, 4, 3, 2, 1].map((minute) => past(minute, 15));
  const asked: (string | undefined)[] = [];
  const found = await readAll((end) => {
    asked.push(end);
    const rest = all.filter((one) => !end || one.timestamp < end);
    return Promise.resolve({ predictions: rest.slice(0, 2) });
  }, 2);
  expect(found).toHaveLength(5);
  expect(asked).toHaveLength(3);
});

test("pages whose rows are all of one time come to an end", async () => {
  const same = past(1, 15);
  let asked = 0;
  await readAll(() => {
    asked += 1;
    return Promise.resolve({ predictions: [same, same] });
  }, 2);
  expect(asked).toBe(2);
});
