/** Merging by id and sequence: whatever the order of list and live messages, the newest word stands. */
import { effect } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { Resource } from "./resource";

interface Thing {
  id: string;
  word: string;
}

function things(read: () => Promise<readonly Thing[]> = async () => []) {
  const at = { seq: 0 };
  const of = new Resource<Thing>({ identify: (one) => one.id, read, seqNow: () => at.seq });
  return { of, at };
}

const word = (of: Resource<Thing>, id: string) => of.get(id)?.word;

describe("a list and live messages", () => {
  test("a message that comes before the list that was asked for earlier is kept", async () => {
    let answer: (list: Thing[]) => void = () => undefined;
    const { of, at } = things(() => new Promise((resolve) => (answer = resolve)));
    at.seq = 5;
    const loading = of.load();
    of.merge({ id: "a", word: "live" }, 6);
    answer([
      { id: "a", word: "old" },
      { id: "b", word: "listed" },
    ]);
    await loading;
    expect([word(of, "a"), word(of, "b")]).toEqual(["live", "listed"]);
  });

  test("a list that was asked for after the message takes its place", () => {
    const { of } = things();
    of.merge({ id: "a", word: "live" }, 6);
    of.takeList([{ id: "a", word: "listed later" }], 6);
    expect(word(of, "a")).toBe("listed later");
  });

  test("an older message changes nothing and says so", () => {
    const { of } = things();
    of.merge({ id: "a", word: "seven" }, 7);
    expect(of.merge({ id: "a", word: "six" }, 6)).toBe(false);
    expect(word(of, "a")).toBe("seven");
  });

  test("what a list no longer holds leaves, but not what a later message told of", () => {
    const { of } = things();
    of.takeList([{ id: "a", word: "x" }], 1);
    of.merge({ id: "b", word: "new" }, 9);
    of.takeList([], 5);
    expect(of.list.value.map((one) => one.id)).toEqual(["b"]);
  });

  test("what was removed does not come back by an older list or message", () => {
    const { of } = things();
    of.takeList([{ id: "a", word: "x" }], 1);
    of.remove("a", 8);
    of.takeList([{ id: "a", word: "x" }], 7);
    expect(of.merge({ id: "a", word: "x" }, 7)).toBe(false);
    of.mergeAll([{ id: "a", word: "x" }], 7);
    expect(of.size).toBe(0);
    expect(of.merge({ id: "a", word: "raised anew" }, 9)).toBe(true);
    expect(word(of, "a")).toBe("raised anew");
  });

  test("a patch changes what is known and refuses what is not", () => {
    const { of } = things();
    expect(of.patch("a", { word: "x" }, 1)).toBe(false);
    of.merge({ id: "a", word: "x" }, 1);
    expect(of.patch("a", { word: "y" }, 2)).toBe(true);
    expect(word(of, "a")).toBe("y");
  });
});

describe("those who look", () => {
  test("see one change for several together, whatever is done", () => {
    const { of } = things();
    of.takeList([{ id: "gone", word: "x" }], 0);
    const seen: number[] = [];
    effect(() => {
      seen.push(of.list.value.length);
    });
    of.together(() => {
      for (let index = 0; index < 100; index += 1) of.merge({ id: `${index}`, word: "x" }, 1);
      of.remove("gone", 1);
      expect(of.patch("3", { word: "patched" }, 1)).toBe(true);
    });
    expect(seen).toEqual([1, 100]);
    expect(word(of, "3")).toBe("patched");
  });

  test("see what was done before an error within", () => {
    const { of } = things();
    const work = () =>
      of.together(() => {
        of.merge({ id: "a", word: "x" }, 1);
        throw new Error("broken");
      });
    expect(work).toThrow("broken");
    expect(of.size).toBe(1);
    expect(of.merge({ id: "b", word: "y" }, 1)).toBe(true);
    expect(of.size).toBe(2);
  });
});

describe("loading", () => {
  test("calls at the same time share one request", async () => {
    let count = 0;
    const { of } = things(async () => {
      count += 1;
      return [{ id: "a", word: "x" }];
    });
    await Promise.all([of.load(), of.load()]);
    expect(count).toBe(1);
    expect(of.state.value).toBe("ready");
    await of.load();
    expect(count).toBe(2);
  });

  test("a failure is shown the first time; later the list stays and the error is kept", async () => {
    let isBroken = true;
    const { of } = things(async () => {
      if (isBroken) throw new Error("no answer");
      return [{ id: "a", word: "x" }];
    });
    await of.load();
    expect([of.state.value, of.error.value?.message]).toEqual(["failed", "no answer"]);
    isBroken = false;
    await of.load();
    expect([of.state.value, of.error.value]).toEqual(["ready", null]);
    isBroken = true;
    await of.load();
    expect([of.state.value, of.size, of.error.value?.message]).toEqual(["ready", 1, "no answer"]);
  });

  test("clear forgets items, what was gone and the state", async () => {
    const { of } = things(async () => [{ id: "a", word: "x" }]);
    await of.load();
    of.remove("a", 9);
    of.clear();
    expect(of.state.value).toBe("empty");
    expect(of.merge({ id: "a", word: "x" }, 1)).toBe(true);
  });
});
