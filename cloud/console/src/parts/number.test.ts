/** Numbers with few digits and their unit, in both languages. */
import { beforeEach, expect, test } from "vitest";
import { speak } from "../text";
import { bytes, number, percent } from "./number";

beforeEach(() => speak("en"));

test.each([
  [2.414262533, "mm/s", "2.414 mm/s"],
  [1435.2769775, "", "1,435"],
  [5021, "", "5,021"],
  [0, "A", "0 A"],
  [0.00001234, "", "1.23e-5"],
  [-3.5e12, "", "-3.50e+12"],
  [Number.NaN, "A", "–"],
  [null, "A", "–"],
  [undefined, "", "–"],
  [true, "", "1"],
  [false, "", "0"],
  ["RUN", "", "RUN"],
])("%s %s reads %s", (value, unit, text) => {
  expect(number(value, unit)).toBe(text);
});

test("digits are those that are asked for", () => {
  expect(number(0.99813, "", 2)).toBe("1");
  expect(number(0.12345, "", 2)).toBe("0.12");
});

test("German has its comma", () => {
  speak("de");
  expect(number(1435.5, "l/min", 5)).toBe("1.435,5 l/min");
  expect(percent(0.425, 1).replace(/\s/, " ")).toBe("42,5 %");
});

test("a share is told in percent, none as a dash", () => {
  expect([percent(0.714), percent(0.714, 1), percent(null), percent(Number.POSITIVE_INFINITY)]).toEqual([
    "71%",
    "71.4%",
    "–",
    "–",
  ]);
});

test.each([
  [999, "999 B"],
  [1000, "1 KB"],
  [1_925_120, "1.93 MB"],
  [5e15, "5,000 TB"],
  [-1500, "-1.5 KB"],
  ["x", "–"],
])("%s bytes read %s", (size, text) => {
  expect(bytes(size)).toBe(text);
});
