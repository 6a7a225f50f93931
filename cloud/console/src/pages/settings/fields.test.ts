import { expect, test } from "vitest";
import type { Known } from "../../stores/settings";
import { bySection, changed, checksOf, kindOf, textOf, typedValue } from "./fields";

const known = (more: Partial<Known>): Known =>
  ({
    key: "a.b",
    default: "",
    description: "",
    choices: [],
    low: null,
    high: null,
    is_secret: false,
    ...more,
  }) as Known;

test("the kind of a field follows from what is known of the setting", () => {
  expect(kindOf(known({ default: true }))).toBe("switch");
  expect(kindOf(known({ default: "auto", choices: ["auto", "dark"] }))).toBe("choice");
  expect(kindOf(known({ default: 0 }))).toBe("number");
  expect(kindOf(known({ is_secret: true }))).toBe("secret");
});

test("bounds are checked while one types, and a number must be there", () => {
  const checks = checksOf(known({ default: 300, low: 1, high: 10 }));
  const issue = (text: string) => checks.map((check) => check(text)).find(Boolean) ?? "";
  expect(["1", "10", "2.5"].map(issue)).toEqual(["", "", ""]);
  expect(["", "0", "11", "x"].every((text) => issue(text) !== "")).toBe(true);
  expect(checksOf(known({ default: "x" }))).toEqual([]);
});

test("only what differs is sent, with its own type, and a secret only where one was typed", () => {
  const knowns = [
    known({ key: "a.n", default: 1 }),
    known({ key: "a.on", default: false }),
    known({ key: "a.s", is_secret: true }),
    known({ key: "a.t" }),
  ];
  const held: Record<string, string | number | boolean> = { "a.n": 5, "a.on": false, "a.s": "********", "a.t": "x" };
  const texts: Record<string, string> = { "a.n": "6", "a.on": "true", "a.s": "", "a.t": "x" };
  const found = changed(
    knowns,
    (key) => texts[key] ?? "",
    (key) => held[key],
  );
  expect(found).toEqual([
    { key: "a.n", value: 6 },
    { key: "a.on", value: true },
  ]);
  texts["a.s"] = "https://new";
  expect(
    changed(
      knowns,
      (key) => texts[key] ?? "",
      (key) => held[key],
    ),
  ).toContainEqual({ key: "a.s", value: "https://new" });
});

test("stars of a secret are never put into its field", () => {
  expect(textOf("secret", "********")).toBe("");
  expect(textOf("number", 5)).toBe("5");
});

test("a value of one's own keeps its type, and what only looks like a number stays text", () => {
  expect(typedValue("true")).toBe(true);
  expect(typedValue("-2.5")).toBe(-2.5);
  expect(typedValue("007")).toBe("007");
  expect(typedValue("1e3")).toBe("1e3");
});

test("sections stand in the order of the document", () => {
  const found = bySection([known({ key: "b.x" }), known({ key: "a.x" }), known({ key: "b.y" })]);
  expect(found.map(([section, of]) => [section, of.length])).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
});
