/** Ranges of time: what stands in the query comes back the same. */
import { describe, expect, it } from "vitest";
import { fixed, LEAST_MS, MOST_MS, panned, quickMs, readRange, writeRange, zoomed } from "./range";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const HOUR = 3_600_000;
const ask = (text: string) => readRange(new URLSearchParams(text), NOW);

describe("ranges in the query", () => {
  it("are an hour that ends now without a wish", () => {
    expect(ask("")).toEqual({ from: NOW - HOUR, to: NOW, quick: "1h" });
  });

  it("are what the query asks for", () => {
    expect(ask("range=6h")).toEqual({ from: NOW - 6 * HOUR, to: NOW, quick: "6h" });
    expect(ask("from=2026-01-15T10:00:00Z&to=2026-01-15T11:00:00Z")).toEqual({
      from: NOW - 2 * HOUR,
      to: NOW - HOUR,
      quick: null,
    });
  });

  it.each(["range=abc", "range=9999d", "range=0m", "from=x&to=y", "from=2026-01-15T11:00:00Z&to=2026-01-15T10:00:00Z"])(
    "are the usual one for nonsense: %s",
    (text) => {
      expect(ask(text).quick).toBe("1h");
    },
  );

  it("come back as they were written", () => {
    for (const range of [ask("range=7d"), fixed(NOW - 12_345_678, NOW - 1_000)]) {
      const said = Object.entries(writeRange(range)).filter(([, value]) => value !== null) as [string, string][];
      expect(readRange(new URLSearchParams(said), NOW)).toEqual(range);
    }
  });

  it("have lengths that are understood", () => {
    expect(["15m", "1h", "30d", "5s"].map(quickMs)).toEqual([900_000, HOUR, 720 * HOUR, 5000]);
    expect(quickMs("5 h")).toBeNaN();
  });
});

describe("moving and zooming", () => {
  it("moves back by a share, forward not beyond now", () => {
    expect(panned(ask("range=1h"), -0.5, NOW)).toEqual(fixed(NOW - 1.5 * HOUR, NOW - HOUR / 2));
    expect(panned(fixed(NOW - 2 * HOUR, NOW - HOUR / 4), 0.5, NOW).to).toBe(NOW);
  });

  it("zooms about the middle, a live range about its end", () => {
    expect(zoomed(fixed(NOW - 4 * HOUR, NOW - 2 * HOUR), 0.5, NOW)).toEqual(fixed(NOW - 3.5 * HOUR, NOW - 2.5 * HOUR));
    expect(zoomed(ask("range=1h"), 0.5, NOW)).toEqual(fixed(NOW - HOUR / 2, NOW));
    expect(zoomed(fixed(NOW - HOUR, NOW), 2, NOW)).toEqual(fixed(NOW - 2 * HOUR, NOW));
  });

  it("never becomes shorter or longer than can be shown", () => {
    const short = fixed(NOW, NOW + 1);
    const long = fixed(0, NOW * 5);
    expect(short.to - short.from).toBe(LEAST_MS);
    expect(long.to - long.from).toBe(MOST_MS);
  });
});
