/** The live feed against a fake WebSocket: numbers, watching, coming back, and what the connection is called. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeSocket } from "../testing/fakes";
import { backoffMs, LiveSocket } from "./socket";

let isUp = true;
let renewals = 0;

function feed(): LiveSocket {
  return new LiveSocket(
    () => "ws://plant/ws",
    (url) => new FakeSocket(url) as unknown as WebSocket,
    async () => {
      renewals += 1;
      return true;
    },
    async () => isUp,
  );
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  isUp = true;
  renewals = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("coming back", () => {
  test("waits twice as long each time, at most 8 s, and never the same for all", () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => backoffMs(attempt, () => 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 8000,
    ]);
    expect(backoffMs(3, () => 0)).toBe(2000);
  });

  test("is polling while the server answers, offline while it does not, and live again", async () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    expect(live.state.value).toBe("live");
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(live.state.value).toBe("polling");
    isUp = false;
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(live.state.value).toBe("offline");
    await vi.advanceTimersByTimeAsync(1000);
    FakeSocket.last.open();
    expect(live.state.value).toBe("live");
  });

  test("asks for what it missed from the last number on", async () => {
    const live = feed();
    live.start();
    expect(FakeSocket.last.url).toBe("ws://plant/ws");
    FakeSocket.last.open();
    FakeSocket.last.tell({ type: "alert", seq: 41, data: {} });
    FakeSocket.last.tell({ type: "alert", seq: 40, data: {} });
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.last.url).toBe("ws://plant/ws?since=41");
  });

  test("tries the faster waits again after a connection that held", async () => {
    const live = feed();
    live.start();
    for (let times = 0; times < 6; times += 1) {
      FakeSocket.last.close(1006);
      await vi.advanceTimersByTimeAsync(8_000);
    }
    FakeSocket.last.open();
    const before = FakeSocket.all.length;
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(before + 1);
  });

  test("renews the session where the server no longer believes it", async () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    FakeSocket.last.close(1008);
    await vi.advanceTimersByTimeAsync(500);
    expect(renewals).toBe(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test("does not come back once it was stopped", async () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    live.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(live.state.value).toBe("connecting");
  });

  test("closes a connection on which nothing was heard for long", async () => {
    const live = feed();
    live.start();
    const first = FakeSocket.last;
    first.open();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(first.readyState).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(first.readyState).toBe(3);
  });
});

describe("quality", () => {
  test.each([
    [40, "good"],
    [200, "fair"],
    [500, "poor"],
  ])("a round trip of %i ms is %s", (ms, quality) => {
    const live = feed();
    live.start();
    expect(live.quality.value).toBe("none");
    FakeSocket.last.open();
    const ping = FakeSocket.last.sentOf("ping")[0];
    vi.setSystemTime(1_000_000 + ms);
    FakeSocket.last.tell({ type: "pong", timestamp: ping?.timestamp });
    expect([live.roundTripMs.value, live.quality.value]).toEqual([ms, quality]);
  });
});

describe("listeners", () => {
  test("hear their type, those of * hear all, until they end", () => {
    const live = feed();
    const heard: string[] = [];
    const end = live.on("alert", (message) => heard.push(`alert ${message.seq}`));
    live.on("*", (message) => heard.push(`any ${message.type}`));
    live.start();
    FakeSocket.last.tell({ type: "alert", seq: 1 });
    FakeSocket.last.tell({ type: "device_update" });
    end();
    FakeSocket.last.tell({ type: "alert", seq: 2 });
    expect(heard).toEqual(["alert 1", "any alert", "any device_update", "any alert"]);
  });
});

describe("readings that come together", () => {
  test("are heard one by one, and asked for so", () => {
    const live = feed();
    const heard: unknown[] = [];
    live.on("device_update", (message) => heard.push([message.data, message.timestamp]));
    live.on("device_updates", () => heard.push("never"));
    live.start();
    FakeSocket.last.open();
    live.watch(["a", "b"]);
    expect(FakeSocket.last.sentOf("subscribe").map((said) => said.together)).toEqual([true]);
    const [a, b] = ["a", "b"].map((id) => ({ device_id: id, timestamp: `t-${id}`, values: { flow: 1 }, quality: {} }));
    FakeSocket.last.tell({ type: "device_updates", data: { devices: [a, b] } });
    expect(heard).toEqual([
      [a, "t-a"],
      [b, "t-b"],
    ]);
  });
});

describe("watching devices", () => {
  const subscribed = () => FakeSocket.last.sentOf("subscribe").map((one) => [one.devices, one.rate_hz]);

  test("two watchers of one device share it, and the last one ends it", () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    const one = live.watch(["pump-1"]);
    const other = live.watch(["pump-1", "pump-2"]);
    expect(subscribed()).toEqual([
      [["pump-1"], 1],
      [["pump-2"], 1],
    ]);
    one();
    expect(FakeSocket.last.sentOf("unsubscribe")).toEqual([]);
    other();
    expect(FakeSocket.last.sentOf("unsubscribe").map((said) => said.devices)).toEqual([["pump-1", "pump-2"]]);
  });

  test("the fastest watcher sets the rate, and it goes back when that one leaves", () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    live.watch(["pump-1"]);
    const fast = live.watch(["pump-1"], 10);
    fast();
    expect(subscribed()).toEqual([
      [["pump-1"], 1],
      [["pump-1"], 10],
      [["pump-1"], 1],
    ]);
  });

  test("all are watched again after the connection came back, each at its rate", async () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    live.watch(["a", "b"]);
    live.watch(["c"], 10);
    FakeSocket.last.close(1006);
    await vi.advanceTimersByTimeAsync(500);
    FakeSocket.last.open();
    expect(subscribed()).toEqual([
      [["a", "b"], 1],
      [["c"], 10],
    ]);
  });

  test("many are told of in messages of 200 at most", () => {
    const live = feed();
    live.start();
    FakeSocket.last.open();
    const end = live.watch(Array.from({ length: 450 }, (_, index) => `d${index}`));
    end();
    const sizes = (type: string) => FakeSocket.last.sentOf(type).map((one) => (one.devices as string[]).length);
    expect(sizes("subscribe")).toEqual([200, 200, 50]);
    expect(sizes("unsubscribe")).toEqual([200, 200, 50]);
  });
});
