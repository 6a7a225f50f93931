/** The stretch of time that a link to the device page shows. */
import { expect, test } from "vitest";
import type { Alarm } from "../../stores/alarms";
import { deviceLink, windowOf } from "./window";

const at = (minutes: number) => new Date(Date.parse("2026-01-15T10:00:00Z") + 60_000 * minutes).toISOString();
const NOW = Date.parse(at(120));
const alarm = (more: Partial<Alarm>) =>
  ({ device_id: "pump/1", raised_at: at(1), onset_at: at(0), cleared_at: null, resolved: false, ...more }) as Alarm;

test("what is over is shown with half its length before and after", () => {
  expect(windowOf(alarm({ resolved: true, cleared_at: at(60) }), NOW)).toEqual({ from: at(-30), to: at(90) });
});

test("what was short is shown with two minutes around it", () => {
  expect(windowOf(alarm({ resolved: true, cleared_at: at(0) }), NOW)).toEqual({ from: at(-2), to: at(2) });
});

test("what still stands is shown up to now, whenever it was cleared before", () => {
  expect(windowOf(alarm({ cleared_at: at(5) }), NOW)).toEqual({ from: at(-60), to: at(120) });
});

test("what stood for days is shown with six hours before it at most", () => {
  const days = windowOf(alarm({ onset_at: at(-60 * 72) }), NOW);
  expect(days.from).toBe(at(-60 * 78));
});

test("the address holds the device and both times", () => {
  const link = deviceLink(alarm({ resolved: true, cleared_at: at(0) }), NOW);
  expect(link.startsWith("/devices/pump%2F1?")).toBe(true);
  const query = new URL(link, "http://plant").searchParams;
  expect([query.get("from"), query.get("to")]).toEqual([at(-2), at(2)]);
});
