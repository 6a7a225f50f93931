/** The part of JSON Schema that our OpenAPI document speaks: find what a reference means, and check values. */

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
  title?: string;
  description?: string;
  example?: unknown;
  examples?: readonly unknown[];
  contentMediaType?: string;
}
export type Schemas = Record<string, Schema>;

/** What is wrong: a code with the values for its text, and where in the value. */
export interface Issue {
  at: string;
  code:
    | "type"
    | "enum"
    | "required"
    | "unknown"
    | "least"
    | "most"
    | "short"
    | "long"
    | "few"
    | "many"
    | "pattern"
    | "none_fits";
  wanted: string;
}

/** Follow a reference; a choice between one thing and null is that thing. */
export function meant(schema: Schema | undefined, all: Schemas): Schema {
  let found = schema ?? {};
  for (let depth = 0; found.$ref && depth < 20; depth += 1) {
    const { $ref, ...beside } = found;
    found = { ...(all[$ref.split("/").at(-1) ?? ""] ?? {}), ...beside };
  }
  if (found.allOf?.length === 1) return meant({ ...found, ...meant(found.allOf[0], all), allOf: undefined }, all);
  const some = (found.anyOf ?? found.oneOf)?.filter((one) => one.type !== "null");
  if (some?.length === 1) {
    const { anyOf, oneOf, ...beside } = found;
    return { ...meant(some[0], all), ...beside };
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const fits = (type: string, value: unknown): boolean =>
  typeOf(value) === type || (type === "number" && typeOf(value) === "integer");

/** Return the first thing that is wrong with a value, null where it fits. */
export function check(schema: Schema, value: unknown, all: Schemas, at = ""): Issue | null {
  const raw = schema.$ref ? { ...all[schema.$ref.split("/").at(-1) ?? ""], ...{ ...schema, $ref: undefined } } : schema;
  const some = raw.anyOf ?? raw.oneOf;
  if (some) {
    const issues = some.map((one) => check(one, value, all, at));
    if (issues.some((one) => one === null)) return null;
    const real = some.filter((one) => one.type !== "null");
    // Of one choice besides null its own complaint says more than that none fits.
    return real.length === 1 ? check(real[0] as Schema, value, all, at) : { at, code: "none_fits", wanted: "" };
  }
  for (const one of raw.allOf ?? []) {
    const issue = check(one, value, all, at);
    if (issue) return issue;
  }
  if (raw.type && !fits(raw.type, value)) return { at, code: "type", wanted: raw.type };
  if (raw.enum && !raw.enum.includes(value)) return { at, code: "enum", wanted: raw.enum.join(", ") };
  if (raw.const !== undefined && raw.const !== value) return { at, code: "enum", wanted: String(raw.const) };
  if (typeof value === "number") return checkNumber(raw, value, at);
  if (typeof value === "string") return checkText(raw, value, at);
  if (Array.isArray(value)) return checkList(raw, value, all, at);
  if (typeof value === "object" && value !== null) return checkObject(raw, value as Record<string, unknown>, all, at);
  return null;
}

function checkNumber(schema: Schema, value: number, at: string): Issue | null {
  const least = schema.minimum ?? schema.exclusiveMinimum;
  const most = schema.maximum ?? schema.exclusiveMaximum;
  if (least !== undefined && (value < least || value === schema.exclusiveMinimum))
    return { at, code: "least", wanted: String(least) };
  if (most !== undefined && (value > most || value === schema.exclusiveMaximum))
    return { at, code: "most", wanted: String(most) };
  return null;
}

function checkText(schema: Schema, value: string, at: string): Issue | null {
  if (value.length < (schema.minLength ?? 0)) return { at, code: "short", wanted: String(schema.minLength) };
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
    return { at, code: "long", wanted: String(schema.maxLength) };
  if (schema.pattern && !matches(schema.pattern, value)) return { at, code: "pattern", wanted: schema.pattern };
  return null;
}

/** A pattern that this browser does not understand is left to the server. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function checkList(schema: Schema, value: readonly unknown[], all: Schemas, at: string): Issue | null {
  if (value.length < (schema.minItems ?? 0)) return { at, code: "few", wanted: String(schema.minItems) };
  if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY))
    return { at, code: "many", wanted: String(schema.maxItems) };
  for (const [index, one] of value.entries()) {
    const issue = schema.items && check(schema.items, one, all, `${at}[${index}]`);
    if (issue) return issue;
  }
  return null;
}

function checkObject(schema: Schema, value: Record<string, unknown>, all: Schemas, at: string): Issue | null {
  const place = (name: string) => (at ? `${at}.${name}` : name);
  for (const name of schema.required ?? [])
    if (!(name in value)) return { at: place(name), code: "required", wanted: "" };
  for (const [name, one] of Object.entries(value)) {
    const known = schema.properties?.[name];
    const other = schema.additionalProperties;
    if (!known && other === false) {
      return { at: place(name), code: "unknown", wanted: Object.keys(schema.properties ?? {}).join(", ") };
    }
    const rule = known ?? (typeof other === "object" ? other : undefined);
    const issue = rule && check(rule, one, all, place(name));
    if (issue) return issue;
  }
  return null;
}
