/** Actions end as done, refused, not done or unknown, and people are told which. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refused, Unreachable } from "../api/errors";
import { reason } from "../says/refusal";
import { serve } from "../testing/fakes";
import { speak, t } from "../text";
import { act } from "./act";
import { toasts } from "./toasts";

const gone = () => Promise.reject(new Unreachable());
const said = () => toasts.value.map((one) => [one.tone, one.text]);

beforeEach(() => {
  vi.useFakeTimers();
  speak("en");
  toasts.value = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what was done is said", async () => {
  expect(await act(async () => 1, { done: "Acknowledged." })).toBe("done");
  expect(said()).toEqual([["good", "Acknowledged."]]);
});

test("a refusal is said with its reason, unless the page shows it itself", async () => {
  const refused = new Refused(409, "ALREADY", "somebody was faster");
  expect(await act(() => Promise.reject(refused))).toBe("refused");
  expect(said()).toEqual([["bad", "Not done: somebody was faster"]]);
  toasts.value = [];
  expect(await act(() => Promise.reject(refused), { refused: () => true })).toBe("refused");
  expect(said()).toEqual([]);
});

test("a refusal is said in the console's language", async () => {
  speak("de");
  await act(() => Promise.reject(new Refused(409, "LAST_ADMIN", "anna is the last administrator")));
  expect(said()).toEqual([["bad", "Nicht ausgeführt: Das ist der letzte Administrator."]]);
});

test("a refusal of fields names them", () => {
  const issues = [{ field: "body.for_s", message: "at least 60" }];
  expect(reason(new Refused(422, "INVALID", "bad input", issues))).toBe("body.for_s: at least 60");
  expect(reason(new Refused(409, "CONFLICT", "in use", issues))).toBe("in use");
});

test("an answer that never came is asked after, until the server is back: it was done", async () => {
  let isUp = false;
  serve(() => {
    if (!isUp) throw new TypeError("refused");
    return { status: "alive" };
  });
  const outcome = act(gone, { wasDone: async () => true });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(said()).toEqual([["wait", t("common.unknown_outcome")]]);
  isUp = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome).toBe("done");
  expect(said()).toEqual([["good", t("common.confirmed_late")]]);
});

test("or it was surely not", async () => {
  serve(() => ({}));
  const outcome = act(gone, { wasDone: async () => false });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome).toBe("not_done");
  expect(said()).toEqual([["bad", t("common.surely_not")]]);
});

test("a question that fails is asked again", async () => {
  serve(() => ({}));
  let count = 0;
  const wasDone = async () => {
    count += 1;
    if (count < 3) throw new Error("503");
    return true;
  };
  const outcome = act(gone, { wasDone });
  await vi.advanceTimersByTimeAsync(3_000);
  expect([await outcome, count]).toEqual(["done", 3]);
});

test("after a minute it is said that nobody knows", async () => {
  serve(() => {
    throw new TypeError("refused");
  });
  const outcome = act(gone, { wasDone: async () => true });
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await outcome).toBe("unknown");
  expect(said()).toEqual([["bad", t("common.still_unknown")]]);
});

test("our own mistakes are thrown on", async () => {
  await expect(act(() => Promise.reject(new RangeError("ours")))).rejects.toThrow("ours");
});
