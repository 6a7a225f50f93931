/** The words of the console in English and German: one catalogue, put together from one file a page. */
import { computed, signal } from "@preact/signals";
import { alarms } from "./alarms";
import { common } from "./common";
import { decisions } from "./decisions";
import { device } from "./device";
import { explorer } from "./explorer";
import { fleet } from "./fleet";
import { forecast } from "./forecast";
import { data } from "./learning-data";
import { models } from "./models";
import { settings } from "./settings";
import { shell } from "./shell";
import { system } from "./system";
import { work } from "./work";

const sections = {
  common,
  shell,
  fleet,
  device,
  alarms,
  decisions,
  models,
  data,
  work,
  forecast,
  settings,
  system,
  explorer,
};
type Sections = typeof sections;
/** The name of a text: section.key. */
export type TextKey = { [S in keyof Sections]: `${S}.${Extract<keyof Sections[S]["en"], string>}` }[keyof Sections];
export type Language = "en" | "de";
export type Values = Record<string, string | number>;

const KEPT = "lineside.language";
export const LANGUAGES: readonly Language[] = ["en", "de"];
export const language = signal<Language>(first());
/** The locale of numbers and times: 24 h clock and ISO weeks in both. */
export const locale = computed(() => (language.value === "de" ? "de-DE" : "en-GB"));

function first(): Language {
  const kept = globalThis.localStorage?.getItem(KEPT) ?? globalThis.navigator?.language ?? "en";
  return kept.startsWith("de") ? "de" : "en";
}

export function speak(one: Language): void {
  language.value = one;
  localStorage.setItem(KEPT, one);
  document.documentElement.lang = one;
}

/** Return a text with its {values} filled in; `n` picks the singular of a text `one|many`. */
export function t(key: TextKey, values: Values = {}): string {
  const [section, name] = key.split(".") as [keyof Sections, string];
  const words = sections[section][language.value] as Record<string, string>;
  return fill(words[name] ?? key, values);
}

/** Return `one|many` by n with its {values} filled in. */
export function fill(text: string, values: Values): string {
  const [one, many] = text.split("|");
  const chosen = many !== undefined && values.n !== 1 ? many : (one ?? text);
  return chosen.replace(/\{(\w+)\}/g, (whole, value: string) => String(values[value] ?? whole));
}

/** Return the text of a word that the API uses, the word itself where there is none. */
export function word(value: string): string {
  const words = common[language.value] as Record<string, string>;
  return words[`word_${value}`] ?? value.replaceAll("_", " ");
}
