/** Devices: newest readings, states, and watching what is in view with few messages. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket, serve } from "../testing/fakes";
import { type Device, devices, followDevices, newestOf, onNewest, watchShown } from "./devices";
import { link, startLink } from "./link";

let ends: (() => void)[] = [];
let server: Device[];
let reads = 0;

const device = (id: string, more: Partial<Device> = {}) =>
  ({ device_id: id, device_name: id, status: "normal", health_score: 0.9, ...more }) as Device;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  devices.clear();
  server = [device("pump-1")];
  reads = 0;
  serve(({ url }) => {
    if (!url.startsWith("/api/v1/devices")) return {};
    reads += 1;
    return server;
  });
  ends = [followDevices(), startLink()];
  FakeSocket.last.open();
});
afterEach(async () => {
  await vi.advanceTimersByTimeAsync(1_000);
  for (const end of ends) end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("newest readings reach the signal of their device and those who listen", () => {
  const heard: string[] = [];
  const end = onNewest((id, told) => heard.push(`${id} ${told.values.flow}`));
  const data = {
    device_id: "pump-1",
    timestamp: "2026-01-15T10:30:00Z",
    values: { flow: 3 },
    quality: { flow: "good" },
  };
  FakeSocket.last.tell({ type: "device_update", data });
  end();
  FakeSocket.last.tell({ type: "device_update", data: { ...data, values: { flow: 4 } } });
  expect(newestOf("pump-1").value?.values).toEqual({ flow: 4 });
  expect(newestOf("pump-2").value).toBeNull();
  expect(heard).toEqual(["pump-1 3"]);
});

test("a state changes its device and no other field", async () => {
  await devices.load();
  const data = { device_id: "pump-1", status: "critical", health_score: 0.2 };
  FakeSocket.last.tell({ type: "device_status", seq: link.lastSeq + 1, data });
  await vi.advanceTimersByTimeAsync(20);
  expect(devices.get("pump-1")).toEqual(device("pump-1", { status: "critical", health_score: 0.2 }));
  FakeSocket.last.tell({ type: "health_score_update", seq: link.lastSeq + 1, data: { ...data, health_score: 0.3 } });
  await vi.advanceTimersByTimeAsync(20);
  expect(devices.get("pump-1")).toEqual(device("pump-1", { status: "critical", health_score: 0.3 }));
  expect(reads).toBe(1);
});

test("a device that nobody knew makes the list read anew, once for many", async () => {
  await devices.load();
  server = [device("pump-1"), device("pump-2"), device("pump-3")];
  for (const id of ["pump-2", "pump-3"]) {
    FakeSocket.last.tell({ type: "device_status", seq: link.lastSeq + 1, data: { device_id: id, status: "normal" } });
  }
  await vi.advanceTimersByTimeAsync(600);
  expect([devices.size, reads]).toEqual([3, 2]);
});

test("scrolling tells the server only of what stayed in view, by one message each way", async () => {
  const said = (type: string) => FakeSocket.last.sentOf(type).map((one) => one.devices);
  const seen = ["a", "b", "c"].map((id) => watchShown(id));
  await vi.advanceTimersByTimeAsync(200);
  expect(said("subscribe")).toEqual([["a", "b", "c"]]);
  seen[0]?.();
  const passing = watchShown("x");
  passing();
  const last = watchShown("d");
  await vi.advanceTimersByTimeAsync(200);
  expect(said("subscribe")).toEqual([["a", "b", "c"], ["d"]]);
  expect(said("unsubscribe")).toEqual([["a"]]);
  for (const end of [seen[1], seen[2], last]) end?.();
  await vi.advanceTimersByTimeAsync(200);
  expect(said("unsubscribe").flat()).toEqual(["a", "b", "c", "d"]);
});

test("a device that two places show is let go by the second one", async () => {
  const one = watchShown("a");
  const other = watchShown("a");
  await vi.advanceTimersByTimeAsync(200);
  one();
  await vi.advanceTimersByTimeAsync(200);
  expect(FakeSocket.last.sentOf("unsubscribe")).toEqual([]);
  other();
  await vi.advanceTimersByTimeAsync(200);
  expect(FakeSocket.last.sentOf("unsubscribe")).toHaveLength(1);
});
