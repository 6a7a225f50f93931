/** What is marked of a device's time. */
import { describe, expect, it } from "vitest";
import type { Alarm } from "../../stores/alarms";
import {
  alarmOf,
  alarmPeriod,
  concerns,
  type Deed,
  eventMarks,
  flagsOf,
  isActive,
  type Label,
  type PlannedEvent,
  periodsOf,
  stretchOf,
  windowsOf,
} from "./marked";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const alarm = (change: Partial<Alarm>): Alarm =>
  ({
    id: "a1",
    type: "anomaly",
    severity: "warning",
    state: "unack_active",
    channel: "flow",
    message: "flow is odd",
    resolved: false,
    label: null,
    onset_at: "2026-01-15T10:00:00Z",
    raised_at: "2026-01-15T10:00:03Z",
    last_raised_at: "2026-01-15T10:00:03Z",
    cleared_at: null,
    ...change,
  }) as Alarm;
const name = (text: string) => text;

describe("the time of an alarm", () => {
  it("lasts until now while it is active", () => {
    expect(stretchOf(alarm({}), NOW)).toEqual({ from: NOW - 7_200_000, to: NOW });
  });
  it("ends where it cleared", () => {
    const over = alarm({ state: "unack_cleared", resolved: true, cleared_at: "2026-01-15T10:01:00Z" });
    expect(stretchOf(over, NOW).to).toBe(Date.parse("2026-01-15T10:01:00Z"));
  });
  it("goes on where it came again after it had cleared", () => {
    const again = alarm({ cleared_at: "2026-01-15T10:01:00Z", last_raised_at: "2026-01-15T11:00:00Z" });
    expect(isActive(again)).toBe(true);
    expect(stretchOf(again, NOW).to).toBe(NOW);
  });
  it("is no longer active when a shelved one has cleared", () => {
    expect(isActive(alarm({ state: "shelved", cleared_at: "2026-01-15T10:01:00Z" }))).toBe(false);
  });
});

describe("an alarm that came and went", () => {
  const deed = (action: string, at: string) =>
    ({ action, at: `2026-01-15T${at}Z`, by: "gateway", details: {} }) as Deed;
  const history = [
    deed("alarm.raise", "10:00:03"),
    deed("alarm.clear", "10:01:00"),
    deed("alarm.acknowledge", "10:01:30"),
    deed("alarm.raise", "11:00:00"),
  ];
  const again = alarm({ cleared_at: "2026-01-15T10:01:00Z", last_raised_at: "2026-01-15T11:00:00Z" });
  it("has a period for each time, the first from its onset, the last until now", () => {
    expect(windowsOf(again, history, NOW)).toEqual([
      { from: NOW - 7_200_000, to: Date.parse("2026-01-15T10:01:00Z") },
      { from: Date.parse("2026-01-15T11:00:00Z"), to: NOW },
    ]);
    const periods = periodsOf([again], [], NOW, name, new Map([["a1", history]]));
    expect(periods.map((one) => one.id)).toEqual(["alarm a1", "alarm a1 1"]);
    expect(periods.map((one) => alarmOf(one.id))).toEqual(["a1", "a1"]);
  });
  it("is one period where its history is not known", () => {
    expect(windowsOf(again, undefined, NOW)).toEqual([stretchOf(again, NOW)]);
  });
  it("is found by the id of its period", () => {
    expect(alarmOf(alarmPeriod("x", 3))).toBe("x");
    expect(alarmOf("label 7")).toBe("");
    expect(alarmOf(null)).toBe("");
  });
});

describe("periods and flags", () => {
  it("say what, and are grey for a false alarm", () => {
    const label = {
      id: 7,
      from: "2026-01-15T10:00:00Z",
      to: "2026-01-15T10:01:00Z",
      verdict: "true_fault",
      kind: "bearing",
    };
    const all = periodsOf([alarm({ label: "false_alarm" })], [label as Label], NOW, name);
    expect(all.map((one) => [one.id, one.kind, one.tone, one.label])).toEqual([
      ["alarm a1", "anomaly", "muted", "anomaly: flow"],
      ["label 7", "label", "critical", "true_fault: bearing"],
    ]);
    expect(flagsOf([alarm({})], name)).toEqual([
      { id: "alarm a1", at: Date.parse("2026-01-15T10:00:03Z"), tone: "warning", label: "flow is odd" },
    ]);
  });
});

describe("shading", () => {
  it("is for anomalies and for channels in sight", () => {
    const all = [
      alarm({}),
      alarm({ type: "frozen" }),
      alarm({ type: "frozen", channel: "speed" }),
      alarm({ type: "health", channel: "" }),
    ];
    const shaded = periodsOf(all, [], NOW, name, undefined, ["flow"]).map((one) => !one.isLaneOnly);
    expect(shaded).toEqual([true, true, false, false]);
  });
});

describe("planned events", () => {
  const event = (metadata: Record<string, unknown>) =>
    ({
      id: "e",
      name: "oil",
      start_time: "2026-01-15T13:00:00Z",
      end_time: "2026-01-15T14:00:00Z",
      metadata,
    }) as PlannedEvent;
  it("are about what they name, else about all", () => {
    const about = (metadata: Record<string, unknown>) => concerns(event(metadata), "pump-1", "gw", "hall 1");
    expect(about({})).toBe(true);
    expect(about({ devices: ["pump-1"] })).toBe(true);
    expect(about({ devices: ["pump-2"] })).toBe(false);
    expect(about({ gateways: ["gw"] })).toBe(true);
    expect(about({ site: "hall 2" })).toBe(false);
  });
  it("are a period and a flag where they begin", () => {
    const { periods, flags } = eventMarks([event({})]);
    expect(periods[0]?.to).toBe(Date.parse("2026-01-15T14:00:00Z"));
    expect(flags[0]?.at).toBe(periods[0]?.from);
  });
});
