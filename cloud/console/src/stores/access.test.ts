import { expect, test } from "vitest";
import { type Key, keyState } from "./keys";
import { entriesOf, sectionsOf } from "./settings";
import { type Invite, inviteState } from "./users";

const NOW = Date.parse("2026-01-15T10:00:00Z");
const key = (more: Partial<Key>): Key =>
  ({ id: "k", revoked_at: null, expires_at: null, rotated_at: null, ...more }) as Key;
const invite = (more: Partial<Invite>): Invite =>
  ({ used_at: null, revoked_at: null, expires_at: "2026-01-16T10:00:00Z", ...more }) as Invite;

test("a key that was rotated holds until its end, one that was revoked does not", () => {
  expect(keyState(key({}), NOW)).toBe("good");
  expect(keyState(key({ rotated_at: "2026-01-15T09:00:00Z", expires_at: "2026-01-16T09:00:00Z" }), NOW)).toBe(
    "rotated",
  );
  expect(keyState(key({ rotated_at: "2026-01-14T09:00:00Z", expires_at: "2026-01-15T09:00:00Z" }), NOW)).toBe("over");
  expect(keyState(key({ revoked_at: "2026-01-15T09:00:00Z" }), NOW)).toBe("revoked");
});

test("an invite is open until it is used, taken back or over", () => {
  expect(inviteState(invite({}), NOW)).toBe("open");
  expect(inviteState(invite({ used_at: "2026-01-15T09:00:00Z" }), NOW)).toBe("used");
  expect(inviteState(invite({ revoked_at: "2026-01-15T09:00:00Z" }), NOW)).toBe("revoked");
  expect(inviteState(invite({ expires_at: "2026-01-15T10:00:00Z" }), NOW)).toBe("over");
});

test("settings go from sections to a list and back, also with dots in a name of somebody's own", () => {
  const sections = { general: { appName: "Mill", "a.b": 1 }, mine: { on: true } };
  expect(sectionsOf(entriesOf(sections))).toEqual(sections);
});
