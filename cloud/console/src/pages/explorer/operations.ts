/** The operations of the API as forms: read from its OpenAPI document. */
import { check, type Issue, meant, type Schema, type Schemas } from "./schema";

export type Kind = "text" | "number" | "choice" | "switch" | "list" | "json" | "file";
export type Place = "path" | "query" | "header" | "body";

export interface Input {
  name: string;
  place: Place;
  kind: Kind;
  isNeeded: boolean;
  description: string;
  schema: Schema;
  choices: readonly string[];
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string;
  scopes: readonly string[];
  inputs: readonly Input[];
  /** The media type of the body; empty where there is none. */
  media: string;
  /** Where the body has no fields of its own: the one input is all of it. */
  isWhole: boolean;
}

export interface Document {
  paths: Record<string, Record<string, RawOperation>>;
  components: { schemas: Schemas };
}
interface RawOperation {
  operationId?: string;
  tags?: readonly string[];
  summary?: string;
  description?: string;
  security?: readonly Record<string, readonly string[]>[];
  parameters?: readonly { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { required?: boolean; content?: Record<string, { schema?: Schema; example?: unknown }> };
}

const METHODS = ["get", "post", "put", "patch", "delete"];
/** The browser's own; nobody types them. */
const HIDDEN = ["x-csrf-token"];
export const WHOLE = "(body)";

/** Return all operations in the order of the document. */
export function operationsOf(document: Document): Operation[] {
  const all = document.components.schemas;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) =>
      operationOf(path, method, methods[method] as RawOperation, all),
    ),
  );
}

function operationOf(path: string, method: string, raw: RawOperation, all: Schemas): Operation {
  const parameters = (raw.parameters ?? [])
    .filter((one) => one.in !== "cookie" && !HIDDEN.includes(one.name.toLowerCase()))
    .map((one) => inputOf(one.name, one.in as Place, one.required ?? false, one.schema ?? {}, all, one.description));
  const [media = "", content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [];
  const body = content ? bodyOf(content.schema ?? {}, raw.requestBody?.required ?? false, all) : [];
  return {
    id: raw.operationId ?? `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    tag: raw.tags?.[0] ?? "",
    summary: raw.summary ?? "",
    description: raw.description ?? "",
    scopes: [...new Set((raw.security ?? []).flatMap((one) => Object.values(one).flat()))],
    inputs: [...parameters, ...body],
    media,
    isWhole: body.length === 1 && body[0]?.name === WHOLE,
  };
}

function bodyOf(schema: Schema, isNeeded: boolean, all: Schemas): Input[] {
  const found = meant(schema, all);
  if (!found.properties) {
    const kind: Kind = found.type === "string" ? "text" : "json";
    return [{ name: WHOLE, place: "body", kind, isNeeded, description: "", schema: found, choices: [] }];
  }
  const needed = found.required ?? [];
  return Object.entries(found.properties).map(([name, one]) => inputOf(name, "body", needed.includes(name), one, all));
}

function inputOf(name: string, place: Place, isNeeded: boolean, schema: Schema, all: Schemas, description = ""): Input {
  const found = meant(schema, all);
  const choices = (found.enum ?? meant(found.items, all).enum ?? []).map(String);
  return {
    name,
    place,
    isNeeded,
    schema,
    choices,
    kind: kindOf(found, place),
    description: description || found.description || "",
  };
}

function kindOf(schema: Schema, place: Place): Kind {
  if (schema.format === "binary" || schema.contentMediaType === "application/octet-stream") return "file";
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "number" || schema.type === "integer") return "number";
  if (schema.type === "array" && place !== "body") return "list";
  return schema.type === "string" || (place !== "body" && schema.type !== "object") ? "text" : "json";
}

/** Return what a text means as JSON, undefined where nothing was typed; throw SyntaxError. */
export function valueFrom(input: Input, text: string): unknown {
  if (text === "") return undefined;
  if (input.kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
  if (input.kind === "switch") return text === "true";
  if (input.kind === "list")
    return text
      .split(/[,\n]/)
      .map((one) => one.trim())
      .filter(Boolean);
  return input.kind === "json" ? JSON.parse(text) : text;
}

export type Complaint = Issue | { at: string; code: "syntax" | "needed"; wanted: string };

/** Return what is wrong with what was typed, null where it may be sent. */
export function complaint(input: Input, text: string, all: Schemas): Complaint | null {
  if (text === "") return input.isNeeded && input.kind !== "file" ? { at: "", code: "needed", wanted: "" } : null;
  if (input.kind === "file") return null;
  try {
    return check(input.schema, valueFrom(input, text), all);
  } catch (error) {
    return { at: "", code: "syntax", wanted: error instanceof Error ? error.message : "" };
  }
}

/** Return operations in whose words all of the search are. */
export function found(operations: readonly Operation[], search: string): readonly Operation[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return operations;
  return operations.filter((one) => {
    const all = `${one.method} ${one.path} ${one.summary} ${one.tag} ${one.scopes.join(" ")}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
