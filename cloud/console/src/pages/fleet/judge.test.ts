/** What the fleet shows of many devices: filter, order, main value, and who needs attention first. */
import { describe, expect, test } from "vitest";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import type { Gateway } from "../../stores/gateways";
import type { Recommendation } from "../../stores/recommendations";
import { cardsInView } from "./cards";
import { attention, byPlace, countByStatus, fitting, mainChannel, worstOf } from "./judge";

function device(id: string, more: Partial<Device> = {}): Device {
  const metadata = { source: "gw-1", metrics: ["sequence", "flow", "pressure", "anomaly_score"] };
  const base = { device_id: id, device_name: id, device_type: "pump", location: "hall 1", status: "normal" };
  return { ...base, health_score: 0.9, timestamp: null, metadata, ...more } as Device;
}
const alarm = (id: string, of: string, more: Partial<Alarm> = {}) =>
  ({ id, device_id: of, severity: "warning", state: "unack_active", channel: "", raised_at: "", ...more }) as Alarm;
const gateway = (id: string, isOnline: boolean) => ({ gateway_id: id, is_online: isOnline }) as Gateway;
const advice = (of: string) => ({ id: `r ${of}`, device_id: of, title: "x", created_at: "" }) as Recommendation;

describe("the main value", () => {
  test("is the first that measures, or what the worst alarm is about", () => {
    expect(mainChannel(device("a"), undefined)).toBe("flow");
    expect(mainChannel(device("a"), alarm("1", "a", { channel: "pressure" }))).toBe("pressure");
    expect(mainChannel(device("a"), alarm("1", "a", { channel: "no such" }))).toBe("flow");
    expect(mainChannel(device("a", { metadata: {} }), undefined)).toBe("");
  });
});

describe("the filter", () => {
  const all = [
    device("pump-10", { status: "warning" }),
    device("pump-9", { location: "hall 2" }),
    device("oven-1", { metadata: { source: "gw-2" } }),
  ];
  const ids = (wanted: object) =>
    fitting(all, { text: "", status: "", place: "", gateway: "", ...wanted }).map((one) => one.device_id);

  test("wants all that is asked for", () => {
    expect(ids({})).toHaveLength(3);
    expect(ids({ text: "PUMP hall 2" })).toEqual(["pump-9"]);
    expect(ids({ status: "warning" })).toEqual(["pump-10"]);
    expect(ids({ place: "hall 1", gateway: "gw-2" })).toEqual(["oven-1"]);
    expect(ids({ text: "pump-9", gateway: "gw-2" })).toEqual([]);
  });

  test("devices stand by place, then by name with its numbers", () => {
    expect([...all].sort(byPlace).map((one) => one.device_id)).toEqual(["oven-1", "pump-10", "pump-9"]);
    const names = ["pump-10", "pump-9"].map((id) => device(id)).sort(byPlace);
    expect(names.map((one) => one.device_id)).toEqual(["pump-9", "pump-10"]);
  });

  test("states are counted", () => {
    expect(countByStatus(all)).toEqual({ critical: 0, warning: 1, offline: 0, normal: 2 });
  });
});

describe("attention", () => {
  const nothing = { devices: [], alarms: [], gateways: [], recommendations: [] };
  const keys = (known: object) => attention({ ...nothing, ...known }).map((one) => `${one.key}: ${one.why}`);

  test("is empty where all is in order", () => {
    expect(keys({ devices: [device("a")], gateways: [gateway("gw-1", true)] })).toEqual([]);
  });

  test("goes to the worst first: alarms, silence, health, advice", () => {
    const devices = [
      device("advised"),
      device("weak", { health_score: 0.6 }),
      device("silent", { status: "offline", metadata: { source: "gw-9" } }),
      device("warned"),
      device("burning"),
      device("broken", { health_score: 0.3 }),
    ];
    const alarms = [alarm("2", "burning", { severity: "critical" }), alarm("1", "warned")];
    const gateways = [gateway("gw-1", true), gateway("gw-2", false)];
    expect(keys({ devices, alarms, gateways, recommendations: [advice("advised")] })).toEqual([
      "device burning: alarm",
      "device broken: health",
      "device warned: alarm",
      "gateway gw-2: gateway",
      "device weak: health",
      "device silent: offline",
      "device advised: recommendation",
    ]);
  });

  test("names a device once, by its worst alarm, with how many others it has and what is advised", () => {
    const alarms = [alarm("worst", "a", { severity: "critical" }), alarm("x", "a"), alarm("y", "a")];
    const [one, ...rest] = attention({ ...nothing, devices: [device("a")], alarms, recommendations: [advice("a")] });
    expect([one?.alarm?.id, one?.more, one?.recommendation?.id, rest]).toEqual(["worst", 2, "r a", []]);
  });

  test("a silent gateway stands for its silent devices", () => {
    const devices = [device("a", { status: "offline" }), device("b", { status: "offline" }), device("c")];
    const found = attention({ ...nothing, devices, gateways: [gateway("gw-1", false)] });
    expect(found.map((one) => [one.key, one.silent])).toEqual([["gateway gw-1", 2]]);
  });

  test("what was not measured is not called weak", () => {
    expect(keys({ devices: [device("a", { health_score: null })] })).toEqual([]);
  });
});

test("the worst alarm of a device is the first of the sorted list", () => {
  const worst = worstOf([alarm("1", "a"), alarm("2", "a"), alarm("3", "b"), alarm("4", "")]);
  expect([worst.get("a")?.id, worst.get("b")?.id, worst.size]).toEqual(["1", "3", 2]);
});

describe("cards in view", () => {
  test("are a few rows of a thousand, and the place of all of them is kept", () => {
    const view = cardsInView(1_000, 1_000, -6_000, 800);
    expect(view.columns).toBe(4);
    expect(view.height).toBe(250 * 120 - 8);
    expect(view.first).toBe(4 * 48);
    expect(view.last).toBe(4 * 59);
  });

  test("are all of a few, and one column on a phone", () => {
    expect(cardsInView(3, 1_000, 200, 800)).toMatchObject({ first: 0, last: 3 });
    expect(cardsInView(3, 150, 200, 800).columns).toBe(1);
    expect(cardsInView(0, 900, 0, 800)).toMatchObject({ first: 0, last: 0 });
  });
});
