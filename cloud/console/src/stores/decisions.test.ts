import { beforeEach, expect, test } from "vitest";
import { cameThrough, type Decision, decided, decisions, deferred, dueFirst, pending, take } from "./decisions";

function one(id: string, more: Partial<Decision> = {}): Decision {
  return {
    id,
    kind: "maintenance",
    state: "open",
    subject: "",
    title: id,
    device_id: "",
    gateway_id: "",
    evidence: {},
    options: ["approve", "reject", "defer"],
    requested_by: "user:anna",
    requested_at: "2026-01-15T10:00:00Z",
    due_at: null,
    expires_at: null,
    decided_at: null,
    deferred_until: null,
    ad_hoc: false,
    ...more,
  } as Decision;
}

beforeEach(() => {
  decisions.clear();
  decided.clear();
});

test("what is due first stands first, what never is comes last, the older one before", () => {
  const all = [
    one("late", { due_at: "2026-01-17T00:00:00Z" }),
    one("never", { requested_at: "2026-01-15T11:00:00Z" }),
    one("older"),
    one("closes", { expires_at: "2026-01-16T00:00:00Z" }),
  ];
  expect(all.sort(dueFirst).map((it) => it.id)).toEqual(["closes", "late", "older", "never"]);
});

test("a deferred request does not wait for anybody now", () => {
  decisions.takeList([one("a"), one("b", { state: "deferred", deferred_until: "2026-01-16T10:00:00Z" })], 0);
  expect(pending.value.map((it) => it.id)).toEqual(["a"]);
  expect(deferred.value.map((it) => it.id)).toEqual(["b"]);
});

test("an approved request leaves the inbox, and goes to the history only where that was read", () => {
  decisions.takeList([one("a"), one("b")], 0);
  take(one("a", { state: "approved" }), 5);
  expect(pending.value.map((it) => it.id)).toEqual(["b"]);
  expect(decided.size).toBe(0);
  decided.state.value = "ready";
  take(one("b", { state: "rejected" }), 6);
  expect(decided.get("b")?.state).toBe("rejected");
});

test("a list that was asked for before the answer does not bring the request back", () => {
  decisions.takeList([one("a")], 1);
  take(one("a", { state: "approved" }), 9);
  decisions.takeList([one("a")], 4);
  expect(pending.value).toEqual([]);
});

test("an answer came through only where a new one says the same", () => {
  const answers = [{ decision: "defer" }, { decision: "approve" }] as never;
  const approve = { choice: "approve", reason: "", until: null } as const;
  expect(cameThrough({ decisions: answers }, approve, 1)).toBe(true);
  expect(cameThrough({ decisions: answers }, approve, 2)).toBe(false);
  expect(cameThrough({ decisions: answers }, { ...approve, choice: "defer" }, 1)).toBe(false);
});
