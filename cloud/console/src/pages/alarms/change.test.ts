/** Changes of alarms: one, many, refused, and a server that dies meanwhile. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Alarm, alarms, inSight, take } from "../../stores/alarms";
import { toasts } from "../../stores/toasts";
import { refusal, serve } from "../../testing/fakes";
import { speak, t } from "../../text";
import { change, comment } from "./change";

const alarm = (id: string, more: Partial<Alarm> = {}) =>
  ({
    id,
    device_id: "p",
    severity: "warning",
    state: "unack_active",
    raised_at: "2026-01-15T10:00:00Z",
    ...more,
  }) as Alarm;
const seen = (id: string) => alarm(id, { state: "ack_active", acknowledged: true });
const said = () => toasts.value.map((one) => [one.tone, one.text]);

beforeEach(() => {
  vi.useFakeTimers();
  speak("en");
  alarms.clear();
  toasts.value = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("one is changed at its own address, and the answer is shown at once", async () => {
  const asked = serve(() => seen("a"));
  take(alarm("a"));
  expect(await change("acknowledge", ["a"], { comment: "on my way" })).toBe("done");
  expect(asked).toEqual([{ method: "POST", url: "/api/v1/alerts/a/acknowledge", body: { comment: "on my way" } }]);
  expect([inSight.value[0]?.state, said()]).toEqual(["ack_active", [["good", "Acknowledged."]]]);
});

test("what only brings it back sends no body, at the documented address", async () => {
  const asked = serve(() => alarm("a"));
  await change("return_to_service", ["a"]);
  expect(asked).toEqual([{ method: "POST", url: "/api/v1/alerts/a/return-to-service", body: undefined }]);
});

test("many are changed by one request; what was refused is said, the rest is shown", async () => {
  const asked = serve(() => ({
    changed: 1,
    refused: 1,
    results: [
      { id: "a", ok: true, alert: seen("a") },
      { id: "b", ok: false, alert: null, error: "it is over" },
    ],
  }));
  take(alarm("a"));
  take(alarm("b"));
  expect(await change("shelve", ["a", "b"], { for_s: 900 })).toBe("done");
  expect(asked[0]?.body).toEqual({ action: "shelve", ids: ["a", "b"], partial: true, for_s: 900 });
  expect(alarms.get("a")?.state).toBe("ack_active");
  expect(said()[0]).toEqual(["bad", "1 alarm could not be changed: it is over"]);
});

test("over 1,000 are sent in parts", async () => {
  const asked = serve(() => ({ changed: 0, refused: 0, results: [] }));
  await change(
    "clear",
    Array.from({ length: 2_001 }, (_, index) => `${index}`),
  );
  expect(asked.map((one) => (one.body as { ids: string[] }).ids.length)).toEqual([1_000, 1_000, 1]);
});

test("a refusal is said and changes nothing", async () => {
  serve(() => refusal(409, "ALARM_OVER", "it is over"));
  take(alarm("a"));
  expect(await change("acknowledge", ["a"])).toBe("refused");
  expect([alarms.get("a")?.state, said()]).toEqual(["unack_active", [["bad", "Not done: it is over"]]]);
});

test.each([
  [true, "done", "common.confirmed_late"],
  [false, "not_done", "common.surely_not"],
] as const)("the server died meanwhile and had done it: %s", async (hasDone, outcome, text) => {
  serve(({ method, url }) => {
    if (method === "POST") throw new TypeError("connection reset");
    if (url.startsWith("/health")) return {};
    return hasDone ? seen("a") : alarm("a");
  });
  take(alarm("a"));
  const told = change("acknowledge", ["a"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([await told, toasts.value.at(-1)?.text]).toEqual([outcome, t(text)]);
  expect(alarms.get("a")?.state).toBe(hasDone ? "ack_active" : "unack_active");
});

test("a comment is found again by its words", async () => {
  serve(({ method, url }) => {
    if (method === "POST") throw new TypeError("connection reset");
    return url.startsWith("/health") ? {} : { ...alarm("a"), comments: [{ by: "x", at: "", text: "bearing is warm" }] };
  });
  const told = comment("a", "bearing is warm");
  const other = comment("a", "something else");
  await vi.advanceTimersByTimeAsync(2_000);
  expect([await told, await other]).toEqual(["done", "not_done"]);
});
