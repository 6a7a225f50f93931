import { afterEach, expect, test } from "vitest";
import { meant, typed, typedFully } from "./typed";
import { zone } from "./zone";

afterEach(() => {
  zone.value = "UTC";
});

test("what is typed is a time of the plant's clock, in winter and in summer", () => {
  zone.value = "Europe/Berlin";
  expect(new Date(meant("2026-01-15T10:30")).toISOString()).toBe("2026-01-15T09:30:00.000Z");
  expect(new Date(meant("2026-07-15T10:30")).toISOString()).toBe("2026-07-15T08:30:00.000Z");
});

test("an hour that the autumn has twice is the first one, and one that spring leaves out is still a time", () => {
  zone.value = "Europe/Berlin";
  expect(new Date(meant("2026-10-25T02:30")).toISOString()).toBe("2026-10-25T00:30:00.000Z");
  expect(Number.isFinite(meant("2026-03-29T02:30"))).toBe(true);
});

test("a time comes back from the input as it went in, in any zone", () => {
  for (const name of ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"]) {
    zone.value = name;
    for (const ms of [Date.UTC(2026, 0, 1, 0, 5), Date.UTC(2026, 5, 30, 23, 59), Date.UTC(2026, 10, 22, 12, 0)]) {
      expect(meant(typed(ms))).toBe(ms);
    }
  }
});

test.each(["", "nonsense", "12:30", "2026-01-15", "2026-07-45 12:30", "2026-01-15 10:30 pm"])(
  "%j is no time",
  (text) => {
    expect(meant(text)).toBeNaN();
  },
);

test("seconds may be typed, and blanks around it do not matter", () => {
  zone.value = "Europe/Berlin";
  const at = Date.parse("2026-07-15T10:30:05Z");
  expect(typedFully(at)).toBe("2026-07-15 12:30:05");
  expect(typed(at)).toBe("2026-07-15 12:30");
  expect(meant(" 2026-07-15 12:30:05 ")).toBe(at);
});

test.each(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Auckland"])(
  "each day's noon comes back over a change of the clocks in %s",
  (name) => {
    zone.value = name;
    for (let at = Date.UTC(2026, 0, 1, 12); at < Date.UTC(2027, 0, 1); at += 86_400_000) {
      expect(meant(typedFully(at))).toBe(at);
    }
  },
);
