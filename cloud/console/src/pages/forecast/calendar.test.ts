import { afterEach, expect, test } from "vitest";
import { zone } from "../../time/zone";
import { weeksOf } from "./calendar";

afterEach(() => {
  zone.value = "UTC";
});

const event = (start: string, end: string) => ({ start_time: start, end_time: end });

test("weeks begin on Monday, and an event stands on every day that it touches, not on the one at whose midnight it ends", () => {
  const night = event("2026-01-15T22:00:00Z", "2026-01-17T00:00:00Z");
  const days = weeksOf([night], Date.UTC(2026, 0, 18, 23), 2);
  expect(days).toHaveLength(14);
  expect(new Date(days[0]?.from ?? 0).toISOString()).toBe("2026-01-12T00:00:00.000Z");
  expect(days.map((one) => one.events.length)).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("days are those of the plant's clock, also where one has 23 hours", () => {
  zone.value = "Europe/Berlin";
  const days = weeksOf([], Date.UTC(2026, 2, 29, 10), 1);
  const sunday = days[6];
  expect(new Date(sunday?.from ?? 0).toISOString()).toBe("2026-03-28T23:00:00.000Z");
  expect(((sunday?.to ?? 0) - (sunday?.from ?? 0)) / 3_600_000).toBe(23);
});
