import { describe, expect, test } from "vitest";
import { changed, problemOf, type Setting, settingOf, settingsOf } from "./settings-form";

const TREES = { default: 200, maximum: 5000, minimum: 1, type: "integer" };
const SPANS = { default: [], items: { type: "integer" }, type: "array" };
const setting = (name: string, schema: Record<string, unknown>) => settingOf(name, schema) as Setting;

describe("settings of an algorithm", () => {
  test("are read from its schema", () => {
    expect(settingOf("trees", TREES)).toEqual({
      name: "trees",
      kind: "whole",
      first: "200",
      least: 1,
      most: 5000,
      choices: [],
    });
    expect(setting("missing", { default: "refuse", enum: ["refuse", "keep"], type: "string" }).kind).toBe("choice");
    expect(setting("cap", { anyOf: [{ type: "number" }, { type: "null" }], default: null }).first).toBe("");
    expect(setting("quantiles", { ...SPANS, default: [0.1, 0.5] }).first).toBe("0.1, 0.5");
    expect(settingOf("features", { $ref: {}, default: {} })).toBeNull();
  });

  test("say what is wrong with what was typed", () => {
    const trees = setting("trees", TREES);
    expect(["", "12", "1.5", "x", "0", "9000"].map((one) => problemOf(trees, one))).toEqual([
      "",
      "",
      "number",
      "number",
      "least",
      "most",
    ]);
    expect(problemOf(setting("spans", SPANS), "1, 5, a")).toBe("number");
  });

  test("are sent only where they differ from the defaults", () => {
    const all = settingsOf({ trees: TREES, spans: SPANS, keeps: { default: false, type: "boolean" } });
    expect(changed(all, {})).toEqual({});
    expect(changed(all, { trees: "60", spans: "1, 5", keeps: "true" })).toEqual({
      trees: 60,
      spans: [1, 5],
      keeps: true,
    });
    expect(changed(all, { trees: "" })).toEqual({});
  });
});
