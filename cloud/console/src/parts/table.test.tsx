/** Tables: which rows, in which order, how many of thousands are drawn, and the keys. */
import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { press, shortcuts } from "../keys";
import { go, query } from "../router";
import { speak } from "../text";
import { filtered, inView, ROW, sorted } from "./rows";
import { type Column, Table } from "./table";

interface Row {
  id: string;
  size: number;
}
const columns: readonly Column<Row>[] = [
  { key: "id", title: "Name", cell: (row) => row.id, by: (row) => row.id },
  { key: "size", title: "Size", cell: (row) => row.size, by: (row) => row.size, isNumber: true },
  { key: "note", title: "Note", cell: () => "secret" },
];
const row = (id: string, size = 0): Row => ({ id, size });
const ids = (rows: readonly Row[]) => rows.map((one) => one.id);

describe("rows", () => {
  test("in view are those of the scrolled part and a few around it", () => {
    const [first, last] = inView(5_000, 1_000 * ROW, 20 * ROW);
    expect([first <= 1_000, first > 980, last >= 1_020, last < 1_040]).toEqual([true, true, true, true]);
  });

  test("in view are never more than there are", () => {
    expect(inView(3, 0, 600)).toEqual([0, 3]);
    expect(inView(0, 0, 600)).toEqual([0, 0]);
    expect(inView(3, 100_000, 600)).toEqual([3, 3]);
  });

  test("a filter wants all its words, of what can be sorted, in any case", () => {
    const rows = [row("Pump 1", 7), row("pump 2", 8), row("oven 1", 7)];
    expect(ids(filtered(rows, columns, "PUMP 7"))).toEqual(["Pump 1"]);
    expect(ids(filtered(rows, columns, "secret"))).toEqual([]);
    expect(filtered(rows, columns, "  ")).toBe(rows);
  });

  test("are sorted by number or by text with its numbers, both ways, and left alone by an unknown column", () => {
    const rows = [row("d10", 2), row("d9", 10), row("d1", 1)];
    expect(ids(sorted(rows, columns, "id"))).toEqual(["d1", "d9", "d10"]);
    expect(ids(sorted(rows, columns, "-size"))).toEqual(["d9", "d10", "d1"]);
    expect(sorted(rows, columns, "note")).toBe(rows);
    expect(ids(rows)).toEqual(["d10", "d9", "d1"]);
  });
});

describe("the table", () => {
  let box: HTMLElement;
  const many = Array.from({ length: 5_000 }, (_, index) => row(`d${index}`, index));
  const cursor = signal("");
  const chosen = signal<ReadonlySet<string>>(new Set());
  const opened: string[] = [];

  beforeEach(async () => {
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe() {}
        disconnect() {}
      },
    );
    speak("en");
    go("/");
    cursor.value = "";
    chosen.value = new Set();
    opened.length = 0;
    box = document.createElement("div");
    document.body.append(box);
    const open = (one: Row) => opened.push(one.id);
    const all = { name: "things", rows: many, columns, id: (one: Row) => one.id, open, cursor, chosen };
    await act(() => render(<Table {...all} />, box));
  });
  afterEach(() => {
    render(null, box);
    box.remove();
    vi.unstubAllGlobals();
  });

  const drawn = () => box.querySelectorAll("tbody tr:not(.gap)").length;
  const key = (name: string) => act(() => press(new KeyboardEvent("keydown", { key: name })));

  test("draws a screenful of 5,000 rows and says how many there are", () => {
    expect(drawn()).toBeGreaterThan(10);
    expect(drawn()).toBeLessThan(60);
    expect(box.querySelector("table")?.getAttribute("aria-rowcount")).toBe("5001");
    expect(box.querySelector("[role=status]")?.textContent).toBe("5000 rows");
  });

  test("filters and sorts by the address, and back", async () => {
    await act(() => go("/?things.filter=d499&things.sort=-size"));
    expect(box.querySelector("[role=status]")?.textContent).toBe("11 of 5000");
    expect(box.querySelector("tbody td:nth-child(2)")?.textContent).toBe("d4999");
    const heading = [...box.querySelectorAll("th button")].find((one) => one.textContent?.startsWith("Size"));
    await act(() => (heading as HTMLElement).click());
    expect(query.value.get("things.sort")).toBe("size");
  });

  test("j, k and Enter go through the rows and open one", async () => {
    await key("j");
    await key("j");
    await key("k");
    expect(cursor.value).toBe("d0");
    expect(box.querySelector("tr.open td:nth-child(2)")?.textContent).toBe("d0");
    await key("Enter");
    expect(opened).toEqual(["d0"]);
  });

  test("the box of a row chooses it, that of the heading all that fit", async () => {
    const boxes = () => [...box.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
    await act(() => boxes()[2]?.click());
    expect([...chosen.value]).toEqual(["d1"]);
    expect(opened).toEqual([]);
    await act(() => go("/?things.filter=d499"));
    await act(() => boxes()[0]?.click());
    expect(chosen.value.size).toBe(11);
    await act(() => boxes()[0]?.click());
    expect(chosen.value.size).toBe(0);
  });

  test("its keys are gone with it", async () => {
    expect(shortcuts.value.map((one) => one.keys)).toContain("j");
    await act(() => render(null, box));
    expect(shortcuts.value.map((one) => one.keys)).not.toContain("j");
  });
});
