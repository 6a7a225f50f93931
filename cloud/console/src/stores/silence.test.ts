/** Whether a device is silent: never a false "normal", and no false silence. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { now } from "../time/zone";
import { type Device, newestOf } from "./devices";
import { link } from "./link";
import { heardOf, isSilent, patienceMs } from "./silence";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const LONG_AGO = 0;
const device = (secondsAgo: number | null, interval_s: number | null = 1, status = "normal") =>
  ({
    device_id: "pump-1",
    status,
    timestamp: secondsAgo === null ? null : new Date(NOW - 1000 * secondsAgo).toISOString(),
    metadata: { interval_s },
  }) as unknown as Device;
const hear = (secondsAgo: number, heardAgo = secondsAgo) => {
  const at = new Date(NOW - 1000 * secondsAgo).toISOString();
  newestOf("pump-1").value = { at, values: {}, quality: {}, heardAt: NOW - 1000 * heardAgo };
};

beforeEach(() => {
  now.value = NOW;
  link.state.value = "live";
});
afterEach(() => {
  newestOf("pump-1").value = null;
  link.state.value = "connecting";
});

it("a device may miss three of its readings, and ten seconds", () => {
  expect(patienceMs(device(0, 0.1))).toBe(10_000);
  expect(patienceMs(device(0, 60))).toBe(180_000);
  expect(patienceMs(device(0, null))).toBe(Number.POSITIVE_INFINITY);
});

it("a device that says nothing for long is silent, whatever its state", () => {
  expect(isSilent(device(9), LONG_AGO)).toBe(false);
  expect(isSilent(device(11), LONG_AGO)).toBe(true);
  expect(isSilent(device(11, 60), LONG_AGO)).toBe(false);
  expect(isSilent(device(3600, null), LONG_AGO)).toBe(false);
  expect(isSilent(device(null), LONG_AGO)).toBe(true);
});

it("a device that is offline is silent, however new its last reading", () => {
  expect(isSilent(device(0, 1, "offline"), LONG_AGO)).toBe(true);
});

it("what came over the feed counts where it is newer than what was stored", () => {
  hear(8);
  expect(heardOf(device(3600))).toBe(NOW - 8000);
  expect(heardOf(device(5))).toBe(NOW - 5000);
  expect(isSilent(device(3600), LONG_AGO)).toBe(false);
});

it("a device whose clock is behind is not silent while it speaks", () => {
  hear(40, 1);
  expect(isSilent(device(40), LONG_AGO)).toBe(false);
});

it("a page that has only just begun to listen waits before it says so", () => {
  expect(isSilent(device(300), NOW - 5000)).toBe(false);
});

it("without the live feed a page waits for a minute", () => {
  link.state.value = "polling";
  expect(isSilent(device(30), LONG_AGO)).toBe(false);
  expect(isSilent(device(61), LONG_AGO)).toBe(true);
});
