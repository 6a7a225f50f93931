/** Keeping things fresh: live where there is a feed, asking where there is none. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket, serve } from "../testing/fakes";
import { isReachable, keepFresh, link, startLink } from "./link";

let stop: () => void = () => undefined;
let isUp = true;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  isUp = true;
  serve(() => {
    if (!isUp) throw new TypeError("refused");
    return {};
  });
  stop = startLink();
  FakeSocket.last.open();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function counted(slowS = 0): { count: () => number; end: () => void } {
  let loads = 0;
  const load = async () => {
    loads += 1;
  };
  return { end: keepFresh(load, slowS), count: () => loads };
}

test("with a feed it is read once, and slowly where that was wished", async () => {
  const told = counted();
  const slow = counted(60);
  for (let seconds = 0; seconds < 124; seconds += 4) {
    await vi.advanceTimersByTimeAsync(4_000);
    FakeSocket.last.tell({ type: "system_metrics" });
  }
  expect([told.count(), slow.count()]).toEqual([1, 3]);
  told.end();
  slow.end();
});

test("without one it is asked every 5 s until nobody wants it", async () => {
  const told = counted();
  FakeSocket.last.close(1006);
  await vi.advanceTimersByTimeAsync(16_000);
  const asked = told.count();
  expect(asked).toBe(4);
  told.end();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.count()).toBe(asked);
});

test("a gap in what was replayed makes all of it read anew", () => {
  const told = counted();
  FakeSocket.last.tell({ type: "replay_gap" });
  expect(told.count()).toBe(2);
  told.end();
});

test("the state of the link stands at the page for those who style or test it", async () => {
  expect(document.documentElement.dataset.link).toBe("live");
  isUp = false;
  FakeSocket.last.close(1006);
  await vi.advanceTimersByTimeAsync(1);
  expect([document.documentElement.dataset.link, link.state.value]).toEqual(["offline", "offline"]);
  expect(await isReachable()).toBe(false);
});
