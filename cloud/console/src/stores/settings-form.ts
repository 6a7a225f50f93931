/** What may be set of an algorithm, as fields of a form: read from its JSON schema, checked, and written back. */

export type SettingKind = "whole" | "number" | "yes_no" | "choice" | "list";

export interface Setting {
  name: string;
  kind: SettingKind;
  /** As a field shows it; empty where the default is to leave it out. */
  first: string;
  least: number | null;
  most: number | null;
  choices: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;
const whole = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Return the setting of a schema, null for what a plain field cannot hold, such as recipes of features. */
export function settingOf(name: string, schema: Schema): Setting | null {
  const options = schema.anyOf as readonly Schema[] | undefined;
  const typed = options?.find((one) => one.type === "number" || one.type === "integer") ?? schema;
  const shared = {
    name,
    least: whole(typed.minimum ?? typed.exclusiveMinimum),
    most: whole(typed.maximum ?? typed.exclusiveMaximum),
    choices: [] as readonly string[],
  };
  const first = schema.default;
  if (Array.isArray(schema.enum)) return { ...shared, kind: "choice", first: String(first), choices: schema.enum };
  switch (typed.type) {
    case "boolean":
      return { ...shared, kind: "yes_no", first: String(first ?? false) };
    case "integer":
    case "number":
      return { ...shared, kind: typed.type === "integer" ? "whole" : "number", first: text(first) };
    case "array":
      return { ...shared, kind: "list", first: Array.isArray(first) ? first.join(", ") : "" };
    default:
      return null;
  }
}

function text(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** Return the settings of an algorithm that a form can hold. */
export function settingsOf(parameters: Readonly<Record<string, Schema>>): Setting[] {
  return Object.entries(parameters)
    .map(([name, schema]) => settingOf(name, schema))
    .filter((one): one is Setting => one !== null);
}

export type Problem = "" | "number" | "least" | "most";

/** Return what is wrong with what somebody typed. */
export function problemOf(setting: Setting, typed: string): Problem {
  if (!typed.trim() || setting.kind === "choice" || setting.kind === "yes_no") return "";
  const numbers = setting.kind === "list" ? list(typed) : [Number(typed)];
  if (numbers.some((one) => !Number.isFinite(one))) return "number";
  if (setting.kind === "list") return "";
  const value = numbers[0] ?? Number.NaN;
  if (setting.kind === "whole" && !Number.isInteger(value)) return "number";
  if (setting.least !== null && value < setting.least) return "least";
  return setting.most !== null && value > setting.most ? "most" : "";
}

function list(typed: string): number[] {
  return typed
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
}

/** Return the settings that differ from the defaults, as the API takes them. */
export function changed(
  settings: readonly Setting[],
  typed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const one of settings) {
    const value = typed[one.name] ?? one.first;
    if (value.trim() === one.first) continue;
    if (!value.trim() && one.kind !== "list") continue;
    found[one.name] = asValue(one.kind, value);
  }
  return found;
}

function asValue(kind: SettingKind, typed: string): unknown {
  if (kind === "list") return list(typed);
  if (kind === "yes_no") return typed === "true";
  return kind === "choice" ? typed : Number(typed);
}
