/** From what was typed to a request, the curl line of it, and its answer as it can be shown. */
import { address, cookie, renew } from "../../api/client";
import { type Operation, valueFrom, WHOLE } from "./operations";

export interface Prepared {
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: string | FormData | null;
}

export interface Reply {
  status: number;
  ms: number;
  headers: readonly (readonly [string, string])[];
  text: string;
  /** Of the whole answer. */
  size: number;
  isCut: boolean;
}

export const MOST_SHOWN = 200_000;
const OF_INTEREST = [
  "content-type",
  "x-total-count",
  "link",
  "location",
  "etag",
  "retry-after",
  "x-request-id",
  "idempotency-replayed",
];
const LIMITS = /^(x-)?ratelimit/;

/** Put a request together; texts by `place.name`, files by name. */
export function prepare(operation: Operation, texts: Record<string, string>, files: Record<string, File>): Prepared {
  const at: Record<string, string> = {};
  const query: Record<string, string | string[]> = {};
  const headers: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  const form = new FormData();
  let whole: unknown;
  for (const input of operation.inputs) {
    const text = texts[`${input.place}.${input.name}`] ?? "";
    const file = files[input.name];
    if (file) form.append(input.name, file);
    const value = valueFrom(input, text);
    if (value === undefined) continue;
    if (input.place === "path") at[input.name] = text;
    else if (input.place === "query") query[input.name] = Array.isArray(value) ? value.map(String) : text;
    else if (input.place === "header") headers[input.name] = text;
    else if (input.name === WHOLE) whole = value;
    else {
      body[input.name] = value;
      form.append(input.name, text);
    }
  }
  const made = { method: operation.method, path: address(operation.path, at, query), headers };
  if (!operation.media) return { ...made, body: null };
  if (operation.media === "multipart/form-data") return { ...made, body: form };
  headers["content-type"] = operation.media;
  if (operation.media === "application/x-www-form-urlencoded") {
    const pairs = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
    return { ...made, body: new URLSearchParams(pairs).toString() };
  }
  if (operation.isWhole && typeof whole === "string") return { ...made, body: whole };
  return { ...made, body: JSON.stringify(operation.isWhole ? (whole ?? {}) : body) };
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Return the request as a line for a shell; the key is read from the environment, and stands nowhere. */
export function curlOf(request: Prepared, origin: string): string {
  const parts = ["curl", "-X", request.method, quoted(origin + request.path), "-H", '"X-API-Key: $LINESIDE_KEY"'];
  for (const [name, value] of Object.entries(request.headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (typeof request.body === "string") parts.push("--data-binary", quoted(request.body));
  if (request.body instanceof FormData) {
    for (const [name, value] of request.body) {
      parts.push("-F", quoted(`${name}=${typeof value === "string" ? value : `@${value.name}`}`));
    }
  }
  return parts.join(" ");
}

/** Send it with the session of this page, renewed once where it ended; throws where nothing answers. */
export async function sendIt(request: Prepared): Promise<Reply> {
  const begun = performance.now();
  let response = await attempt(request);
  if (response.status === 401 && cookie("csrf_refresh_token") && (await renew())) response = await attempt(request);
  const text = await response.text();
  const shown = pretty(text, response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    ms: performance.now() - begun,
    headers: [...response.headers].filter(([name]) => OF_INTEREST.includes(name) || LIMITS.test(name)),
    text: shown.slice(0, MOST_SHOWN),
    size: text.length,
    isCut: shown.length > MOST_SHOWN,
  };
}

function attempt(request: Prepared): Promise<Response> {
  const csrf = request.method !== "GET" ? cookie("csrf_access_token") : "";
  const headers = csrf ? { ...request.headers, "X-CSRF-TOKEN": csrf } : request.headers;
  return fetch(request.path, { method: request.method, headers, body: request.body, credentials: "same-origin" });
}

/** JSON with its lines; what is not JSON as it is. Very long answers are not put in order: that would take too long. */
export function pretty(text: string, media: string): string {
  if (!media.includes("json") || text.length > 5_000_000) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
