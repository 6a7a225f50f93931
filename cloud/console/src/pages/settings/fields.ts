/** Settings as fields of a form: which kind each is, what is right for it, and what was changed. */
import { between, type Check, needed } from "../../parts/form";
import type { Entry, Known, Setting } from "../../stores/settings";

export type Kind = "switch" | "choice" | "number" | "text" | "secret";

export function kindOf(known: Pick<Known, "default" | "choices" | "is_secret">): Kind {
  if (known.is_secret) return "secret";
  if (known.choices.length) return "choice";
  if (typeof known.default === "boolean") return "switch";
  return typeof known.default === "number" ? "number" : "text";
}

/** Return what can be checked here; the server says the rest. */
export function checksOf(known: Pick<Known, "default" | "choices" | "is_secret" | "low" | "high">): Check[] {
  if (kindOf(known) !== "number") return [];
  return [needed, between(known.low ?? Number.NEGATIVE_INFINITY, known.high ?? Number.POSITIVE_INFINITY)];
}

/** A secret is never shown: what the server sends in its place is no text to edit. */
export function textOf(kind: Kind, value: Setting | undefined): string {
  return kind === "secret" || value === undefined ? "" : String(value);
}

export function typedAs(kind: Kind, text: string): Setting {
  if (kind === "switch") return text === "true";
  return kind === "number" ? Number(text) : text.trim();
}

/** Return what differs from what the server holds; a secret counts where something was typed. */
export function changed(
  knowns: readonly Known[],
  text: (key: string) => string,
  held: (key: string) => Setting | undefined,
): Entry[] {
  return knowns
    .map((one) => ({ key: one.key, kind: kindOf(one), value: typedAs(kindOf(one), text(one.key)) }))
    .filter((one) => (one.kind === "secret" ? one.value !== "" : one.value !== held(one.key)))
    .map(({ key, value }) => ({ key, value }));
}

/** Return a value as its own type: a number or a truth where the text is one. */
export function typedValue(text: string): Setting {
  const plain = text.trim();
  if (plain === "true" || plain === "false") return plain === "true";
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(plain) ? Number(plain) : text;
}

/** Return known settings by section, in the order of the document. */
export function bySection(knowns: readonly Known[]): [section: string, knowns: Known[]][] {
  const found = new Map<string, Known[]>();
  for (const one of knowns) {
    const section = one.key.split(".")[0] ?? "";
    found.set(section, [...(found.get(section) ?? []), one]);
  }
  return [...found];
}
