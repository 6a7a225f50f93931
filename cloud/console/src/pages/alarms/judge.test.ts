/** First-out, the figures of ISA-18.2, and what can be done in which state. */
import { describe, expect, test } from "vitest";
import type { Alarm } from "../../stores/alarms";
import { can, firstOut, isDone, isMuted, isOld, only, type Verb } from "./judge";

const T0 = Date.parse("2026-01-15T10:00:00Z");
function alarm(id: string, seconds: number, more: Partial<Alarm> = {}): Alarm {
  const base = {
    id,
    device_id: "pump-1",
    gateway_id: "gw-1",
    state: "unack_active",
    severity: "warning",
    chattering: false,
  };
  return { ...base, raised_at: new Date(T0 + 1000 * seconds).toISOString(), ...more } as Alarm;
}

describe("first-out", () => {
  test("is the earliest of each burst of a gateway, in whatever order they stand", () => {
    const those = [alarm("c", 40), alarm("a", 0), alarm("later", 500), alarm("b", 20), alarm("last", 520)];
    expect([...firstOut(those)].sort()).toEqual(["a", "later"]);
  });

  test("is nothing that stands alone, nor by another gateway's alarm", () => {
    const those = [alarm("a", 0), alarm("b", 30), alarm("c", 1, { gateway_id: "gw-2" })];
    expect([...firstOut(those)]).toEqual([]);
  });

  test("is judged by the device where no gateway is known", () => {
    const of = (id: string, seconds: number, device: string) =>
      alarm(id, seconds, { gateway_id: "", device_id: device });
    expect([...firstOut([of("a", 0, "x"), of("b", 1, "y"), of("c", 2, "y")])]).toEqual(["b"]);
  });
});

test("what stands for over a day is old while it is active", () => {
  const now = T0 + 24 * 3_600_000;
  expect([isOld(alarm("a", -1), now), isOld(alarm("a", 1), now)]).toEqual([true, false]);
  expect(isOld(alarm("a", -1, { state: "unack_cleared" }), now)).toBe(false);
});

test("an alarm keeps its colour while it holds or nobody saw it", () => {
  const muted = (state: Alarm["state"]) => isMuted(alarm("a", 0, { state }));
  expect((["unack_active", "ack_active", "unack_cleared"] as const).map(muted)).toEqual([false, false, false]);
  expect((["shelved", "out_of_service", "normal"] as const).map(muted)).toEqual([true, true, true]);
});

test("only some of them are shown where that was pressed", () => {
  const those = [
    alarm("new", 0),
    alarm("seen", -90_000, { state: "ack_active" }),
    alarm("rattle", 0, { chattering: true }),
  ];
  const ids = (what: string) => only(those, what, T0).map((one) => one.id);
  expect([ids("unacknowledged"), ids("old"), ids("chattering"), ids("")]).toEqual([
    ["new", "rattle"],
    ["seen"],
    ["rattle"],
    ["new", "seen", "rattle"],
  ]);
});

const ALL: Verb[] = [
  "acknowledge",
  "shelve",
  "unshelve",
  "clear",
  "out_of_service",
  "return_to_service",
  "assign",
  "label",
];

test.each([
  ["unack_active", ["acknowledge", "shelve", "clear", "out_of_service", "assign", "label"]],
  ["ack_active", ["shelve", "clear", "out_of_service", "assign", "label"]],
  ["unack_cleared", ["acknowledge", "shelve", "out_of_service", "assign", "label"]],
  ["shelved", ["unshelve", "assign", "label"]],
  ["out_of_service", ["return_to_service", "assign", "label"]],
  ["normal", ["label"]],
] as const)("what is %s can be: %j", (state, verbs) => {
  expect(ALL.filter((verb) => can(verb, alarm("a", 0, { state })))).toEqual(verbs);
});

test("a gateway's own alarm has no window that models could learn from", () => {
  expect(can("label", alarm("a", 0, { device_id: "" }))).toBe(false);
});

test.each([
  ["acknowledge", { state: "ack_active", acknowledged: true }, ""],
  ["shelve", { state: "shelved" }, ""],
  ["unshelve", { state: "unack_active" }, ""],
  ["clear", { state: "normal", resolved: true }, ""],
  ["out_of_service", { state: "out_of_service" }, ""],
  ["return_to_service", { state: "ack_active" }, ""],
  ["assign", { assigned_to: "ada" }, "ada"],
  ["label", { label: "true_fault" }, "true_fault"],
] as const)("%s is seen to be done", (verb, after, value) => {
  const undone = { unshelve: "shelved", return_to_service: "out_of_service" } as Record<string, Alarm["state"]>;
  const before = alarm("a", 0, { state: undone[verb] ?? "unack_active", acknowledged: false, resolved: false });
  expect(isDone(verb, before, value)).toBe(false);
  expect(isDone(verb, { ...before, ...after } as Alarm, value)).toBe(true);
});
