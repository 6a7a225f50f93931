/** Alarms: live messages before and after the list, storms, the order of ISA-18.2. */
import { effect } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeSocket, json, type Request, serve } from "../testing/fakes";
import { type Alarm, alarms, followAlarms, inSight, take, unacknowledged, worstFirst } from "./alarms";
import { keep, link, startLink } from "./link";

let ends: (() => void)[] = [];
let server: Map<string, Alarm>;
let asked: Request[];
let seq = 0;

function alarm(id: string, more: Partial<Alarm> = {}): Alarm {
  const raised = "2026-01-15T10:30:00Z";
  const base = { id, device_id: "pump-1", severity: "warning", state: "unack_active", raised_at: raised };
  return { ...base, occurrences: 1, message: id, ...more } as Alarm;
}

function tell(type: string, data: Partial<Alarm>): void {
  seq += 1;
  FakeSocket.last.tell({ type, seq, data });
}

const ids = () => inSight.value.map((one) => one.id);
const listings = () => asked.filter((one) => one.url.startsWith("/api/v1/alerts?")).length;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  server = new Map();
  alarms.clear();
  seq = link.lastSeq;
  asked = serve(({ url }) => {
    const one = /alerts\/([^?]+)$/.exec(url)?.[1];
    if (one) return server.has(one) ? server.get(one) : json({ detail: "gone" }, 404);
    return url.startsWith("/health") ? {} : [...server.values()];
  });
  ends = [followAlarms(), startLink()];
  FakeSocket.last.open();
});
afterEach(async () => {
  await vi.advanceTimersByTimeAsync(5_000);
  for (const end of ends) end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("live messages", () => {
  test("a new alarm is there at once, and completed by the API", async () => {
    server.set("a", alarm("a", { channel: "flow" }));
    tell("alert", { id: "a", state: "unack_active", severity: "critical", timestamp: "2026-01-15T10:30:00Z" });
    await vi.advanceTimersByTimeAsync(20);
    expect(unacknowledged.value).toEqual({ critical: 1, warning: 0, info: 0 });
    expect(alarms.get("a")?.channel).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(alarms.get("a")?.channel).toBe("flow");
  });

  test("a known one is changed in place, one that is over leaves", async () => {
    server.set("a", alarm("a"));
    await alarms.load();
    tell("alert_acknowledged", { id: "a", state: "ack_active" });
    await vi.advanceTimersByTimeAsync(20);
    expect(inSight.value.map((one) => [one.id, one.state, one.message])).toEqual([["a", "ack_active", "a"]]);
    tell("alert_changed", { id: "a", state: "normal" });
    await vi.advanceTimersByTimeAsync(20);
    expect(ids()).toEqual([]);
  });

  test("a message before the list that was asked for earlier wins over it", async () => {
    server.set("a", alarm("a"));
    const listed = [...server.values()];
    const since = link.lastSeq;
    tell("alert_changed", { id: "a", state: "normal" });
    await vi.advanceTimersByTimeAsync(20);
    alarms.takeList(listed, since);
    expect(ids()).toEqual([]);
  });

  test("a storm is one drawing and one list, not a request each", async () => {
    let drawings = 0;
    const end = effect(() => {
      drawings += inSight.value.length >= 0 ? 1 : 0;
    });
    for (let index = 0; index < 300; index += 1) {
      server.set(`${index}`, alarm(`${index}`));
      tell("alert", { id: `${index}`, state: "unack_active", severity: "warning" });
    }
    await vi.advanceTimersByTimeAsync(20);
    expect([ids().length, drawings]).toEqual([300, 2]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(listings()).toBe(1);
    expect(asked.filter((one) => /alerts\/\d/.test(one.url))).toEqual([]);
    end();
  });

  test("the page goes on where one cannot be read", async () => {
    tell("alert", { id: "gone", state: "unack_active", severity: "warning" });
    await vi.advanceTimersByTimeAsync(300);
    expect(ids()).toEqual(["gone"]);
  });
});

test("thousands are read by pages that overlap, none is lost when one ends meanwhile", async () => {
  const all = Array.from({ length: 2_400 }, (_, index) => alarm(`${index}`));
  serve(({ url }) => {
    const offset = Number(new URL(url, "http://plant").searchParams.get("offset"));
    const page = json(all.slice(offset, offset + 1_000), 200, { "x-total-count": String(all.length) });
    all.shift();
    return page;
  });
  await alarms.load();
  expect(alarms.get("1000")?.id).toBe("1000");
  expect(alarms.size).toBe(2_400);
});

describe("without the feed", () => {
  test("the list is asked for every 5 s, and again when the feed is back", async () => {
    ends.push(keep(alarms));
    await vi.advanceTimersByTimeAsync(10_000);
    const before = listings();
    expect(before).toBe(1);
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(400);
    server.set("a", alarm("a"));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(listings() - before).toBeGreaterThanOrEqual(2);
    expect(ids()).toEqual(["a"]);
    const polled = listings();
    FakeSocket.last.open();
    await vi.advanceTimersByTimeAsync(10);
    expect(listings()).toBe(polled + 1);
  });
});

describe("the list", () => {
  test("is sorted by severity, then by who was seen, then the newest first", () => {
    const sorted = [
      alarm("seen", { state: "ack_active" }),
      alarm("old", { raised_at: "2026-01-15T09:00:00Z" }),
      alarm("new", { raised_at: "2026-01-15T11:00:00Z" }),
      alarm("gone", { state: "unack_cleared" }),
      alarm("worst", { severity: "critical", state: "unack_cleared" }),
      alarm("note", { severity: "info" }),
    ].sort(worstFirst);
    expect(sorted.map((one) => one.id)).toEqual(["worst", "new", "old", "seen", "gone", "note"]);
  });

  test("does not show nor count what is shelved or out of service", () => {
    for (const state of ["shelved", "out_of_service", "ack_active", "unack_cleared"] as const)
      take(alarm(state, { state }));
    expect(ids()).toEqual(["ack_active", "unack_cleared"]);
    expect(unacknowledged.value.warning).toBe(1);
  });
});
