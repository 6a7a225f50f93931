/** Texts of axes. */
import { describe, expect, it } from "vitest";
import { numberTicks, timeTicks } from "./ticks";

const clock = { locale: "en-GB", zone: "Europe/Berlin" };
const at = (text: string) => Date.parse(text);

describe("times", () => {
  it("are those of the plant, with the date where a day begins", () => {
    const ticks = [at("2026-01-15T22:30:00Z"), at("2026-01-15T22:45:00Z"), at("2026-01-15T23:00:00Z")];
    expect(timeTicks(ticks, 900_000, clock)).toEqual(["23:30\n15 Jan", "23:45", "00:00\n16 Jan"]);
  });
  it("have seconds where ticks are near", () => {
    expect(timeTicks([at("2026-01-15T10:00:05Z")], 5000, clock)[0]).toMatch(/^11:00:05/);
  });
  it("are days where ticks are days apart", () => {
    const ticks = [at("2025-12-31T12:00:00Z"), at("2026-01-01T12:00:00Z"), at("2026-01-02T12:00:00Z")];
    expect(timeTicks(ticks, 86_400_000, clock)).toEqual(["31 Dec\n2025", "01 Jan\n2026", "02 Jan"]);
  });
});

describe("numbers", () => {
  it("have as many digits as their steps need", () => {
    expect(numberTicks([0, 0.5, 1], 0.5, "en-GB")).toEqual(["0.0", "0.5", "1.0"]);
    expect(numberTicks([0, 20], 20, "en-GB")).toEqual(["0", "20"]);
    expect(numberTicks([0, 0.25, null], 0.05, "de-DE")).toEqual(["0,00", "0,25", ""]);
  });
  it("that are very great or small have a power of ten", () => {
    expect(numberTicks([0, 2e7], 1e7, "en-GB")).toEqual(["0", "2.0e+7"]);
  });
});
