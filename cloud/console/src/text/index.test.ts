/** The catalogue: both languages say the same things with the same values. */
import { beforeEach, describe, expect, test } from "vitest";
import { language, speak, type TextKey, t, word } from "./index";

type Words = Record<string, string>;
const files = import.meta.glob<Record<string, unknown>>("./*.ts", { eager: true });
const sections = Object.entries(files).flatMap(([file, module]) =>
  Object.values(module)
    .filter(
      (one): one is { en: Words; de: Words } => typeof one === "object" && one !== null && "en" in one && "de" in one,
    )
    .map((one) => [file, one] as const),
);
const names = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

beforeEach(() => speak("en"));

test("there are sections to look at", () => {
  expect(sections.length).toBeGreaterThan(8);
});

describe.each(sections)("%s", (_, { en, de }) => {
  test("has the same keys in both languages, none of them empty", () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
    expect(Object.entries({ ...en, ...de }).filter(([, text]) => !text.trim())).toEqual([]);
  });

  test("fills the same values in, in the singular and the plural", () => {
    for (const [key, text] of Object.entries(en)) {
      const german = de[key] ?? "";
      expect([key, names(german)]).toEqual([key, names(text)]);
      expect([key, german.split("|").length]).toEqual([key, text.split("|").length]);
    }
  });
});

test("values are filled in, n picks the singular", () => {
  expect(t("common.rows", { n: 1 })).toBe("1 row");
  expect(t("common.rows", { n: 0 })).toBe("0 rows");
  expect(t("common.rows_of", { shown: 2, n: 3 })).toBe("2 of 3");
  expect(t("common.ago", { other: 1 })).toBe("{time} ago");
});

test("a text that is missing shows its key, a word of the API itself", () => {
  expect(t("common.no_such" as TextKey)).toBe("common.no_such");
  expect([word("unack_active"), word("made_up")]).toEqual(["active, not acknowledged", "made up"]);
});

test("the language is kept and told to the browser", () => {
  speak("de");
  expect([language.value, document.documentElement.lang, localStorage.getItem("lineside.language")]).toEqual([
    "de",
    "de",
    "de",
  ]);
  expect(t("common.rows", { n: 2 })).toBe("2 Zeilen");
});
