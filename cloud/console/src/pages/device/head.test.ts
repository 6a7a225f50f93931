/** Whether a device is silent: never a false "normal". */
import { afterEach, expect, it } from "vitest";
import { type Device, newestOf } from "../../stores/devices";
import { now } from "../../time/zone";
import { heardOf, isSilent } from "./head";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const device = (timestamp: string | null, status = "normal") =>
  ({ device_id: "pump-1", status, timestamp, metadata: {} }) as unknown as Device;

afterEach(() => {
  newestOf("pump-1").value = null;
});

it("a device that says nothing for long is silent, whatever its state", () => {
  now.value = NOW;
  expect(isSilent(device("2026-01-15T11:59:30Z"), 60_000)).toBe(false);
  expect(isSilent(device("2026-01-15T11:58:00Z"), 60_000)).toBe(true);
  expect(isSilent(device(null), 60_000)).toBe(true);
});

it("a device that is offline is silent, however new its last reading", () => {
  now.value = NOW;
  expect(isSilent(device("2026-01-15T11:59:59Z", "offline"), 60_000)).toBe(true);
});

it("what came over the feed counts where it is newer than what was stored", () => {
  now.value = NOW;
  newestOf("pump-1").value = { at: "2026-01-15T11:59:50Z", values: {}, quality: {}, heardAt: NOW };
  expect(heardOf(device("2026-01-15T11:00:00Z"))).toBe(NOW - 10_000);
  expect(heardOf(device("2026-01-15T11:59:55Z"))).toBe(NOW - 5000);
  expect(isSilent(device(null), 60_000)).toBe(false);
});
