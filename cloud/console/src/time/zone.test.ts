/** Times in the plant's zone, 24 h clock, ISO weeks. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { speak } from "../text";
import { ago, at, isoWeek, length, ms, zone } from "./zone";

const MOMENT = "2026-07-01T22:30:05Z";

beforeEach(() => {
  speak("en");
  zone.value = "UTC";
});
afterEach(() => {
  zone.value = "UTC";
});

test("a time is told in the plant's zone, whatever the zone of the browser", () => {
  expect(at(MOMENT, "seconds")).toBe("22:30:05");
  zone.value = "Europe/Berlin";
  expect([at(MOMENT, "seconds"), at(MOMENT, "day")]).toEqual(["00:30:05", "Thu, 02 Jul 2026"]);
  zone.value = "Asia/Kolkata";
  expect(at(MOMENT, "time")).toBe("04:00");
});

test("midnight is 00 and the language is the chosen one", () => {
  expect(at("2026-07-01T00:00:00Z", "time")).toBe("00:00");
  speak("de");
  expect(at(MOMENT, "short")).toBe("01. Juli, 22:30");
});

test("the clock goes back in autumn and both hours are told", () => {
  zone.value = "Europe/Berlin";
  expect([at("2026-10-25T00:30:00Z", "time"), at("2026-10-25T01:30:00Z", "time")]).toEqual(["02:30", "02:30"]);
});

test.each([null, undefined, "", "soon"])("%j is no time", (value) => {
  expect(at(value as string)).toBe("–");
  expect(Number.isNaN(ms(value as string))).toBe(true);
});

describe("lengths", () => {
  test.each([
    [0, "0 s"],
    [59.4, "59 s"],
    [60, "1 min"],
    [3_599, "59 min"],
    [3_660, "1 h 1 min"],
    [187_200, "2 d 4 h"],
    [86_400, "1 d"],
    [-5, "0 s"],
    [Number.NaN, "–"],
  ])("%s s are %s", (seconds, text) => {
    expect(length(seconds)).toBe(text);
  });

  test("how long ago, in how long, and just now", () => {
    const from = Date.parse(MOMENT);
    const earlier = (seconds: number) => ago(new Date(from - 1000 * seconds), from);
    expect([earlier(1), earlier(90), earlier(-7200), ago(null, from)]).toEqual([
      "just now",
      "1 min ago",
      "in 2 h",
      "–",
    ]);
  });
});

describe("ISO weeks", () => {
  test.each([
    ["2026-01-01", [2026, 1]],
    ["2027-01-03", [2026, 53]],
    ["2027-01-04", [2027, 1]],
    ["2024-12-30", [2025, 1]],
    ["2021-01-03", [2020, 53]],
  ])("%s is in week %j", (day, week) => {
    expect(isoWeek(`${day}T12:00:00Z`)).toEqual(week);
  });

  test("the week is that of the plant's day", () => {
    zone.value = "Pacific/Auckland";
    expect(isoWeek("2027-01-03T12:00:00Z")).toEqual([2027, 1]);
  });
});
