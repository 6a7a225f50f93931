/** Calls of the documented API, typed by its OpenAPI document: session by cookie, CSRF, one renewal at a time. */
import { Refused, refusedBy, Unreachable } from "./errors";
import type { paths } from "./schema";

type Method = "get" | "post" | "put" | "patch" | "delete";
type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: unknown } ? (paths[P][M] extends undefined ? never : P) : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;
type Good<R> = R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : never;
type JsonOf<A> = A extends { content: { "application/json": infer J } } ? J : undefined;

/** The body of the good answer of an operation. */
export type Answer<P extends keyof paths, M extends Method = "get"> =
  Operation<P, M> extends { responses: infer R } ? JsonOf<Good<R>> : never;
/** The JSON body that an operation takes. */
export type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody?: { content: { "application/json": infer J } } } ? J : undefined;

type Scalar = string | number | boolean;
export type Query = Record<string, Scalar | readonly Scalar[] | undefined | null>;

export interface Options<B = unknown> {
  /** Values of the {names} in the path. */
  at?: Record<string, Scalar>;
  query?: Query;
  body?: B;
  form?: FormData;
  /** A body that is no JSON, such as CSV. */
  text?: { body: string; type: string };
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** A good answer; `total` is X-Total-Count, null where the operation has none. */
export interface Told<T> {
  data: T;
  total: number | null;
  status: number;
}

const CSRF = "X-CSRF-TOKEN";
const REFRESH = "/api/v1/auth/refresh";
let renewal: Promise<boolean> | null = null;
let onExpired: () => void = () => undefined;

/** Say what happens when the session is over. */
export function whenExpired(act: () => void): void {
  onExpired = act;
}

export function cookie(name: string): string {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

/** Return the path with its {names} filled in and its query. */
export function address(path: string, at: Record<string, Scalar> = {}, query: Query = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(at[name] ?? "")));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) asked.append(name, String(one));
  }
  const text = asked.toString();
  return text ? `${filled}?${text}` : filled;
}

/** Send one request, renewing the session once where it ended; raise Refused, Unreachable. */
export async function send<T>(method: Method, path: string, options: Options = {}): Promise<Told<T>> {
  let response = await attempt(method, path, options);
  if (response.status === 401 && cookie("csrf_refresh_token") && (await renew())) {
    response = await attempt(method, path, options);
  }
  if (!response.ok) {
    const refused = await refusedBy(response);
    if (refused.status === 401) onExpired();
    throw refused;
  }
  const total = response.headers.get("x-total-count");
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const data = response.status === 204 ? undefined : isJson ? await response.json() : await response.text();
  return { data: data as T, total: total === null ? null : Number(total), status: response.status };
}

async function attempt(method: Method, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (options.text) headers["content-type"] = options.text.type;
  if (options.idempotencyKey) headers["idempotency-key"] = options.idempotencyKey;
  if (method !== "get" && cookie("csrf_access_token")) headers[CSRF] = cookie("csrf_access_token");
  try {
    return await fetch(address(path, options.at, options.query), {
      method: method.toUpperCase(),
      headers,
      body:
        options.form ?? options.text?.body ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      credentials: "same-origin",
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  }
}

/** Exchange the refresh cookie for a new session; several callers share one exchange. */
export function renew(): Promise<boolean> {
  renewal ??= fetch(REFRESH, {
    method: "POST",
    headers: { [CSRF]: cookie("csrf_refresh_token") },
    credentials: "same-origin",
  })
    .then((response) => response.ok)
    .catch(() => false)
    .finally(() => {
      renewal = null;
    });
  return renewal;
}

export const api = {
  get: <P extends PathsOf<"get">>(path: P, options?: Options) => send<Answer<P, "get">>("get", path, options),
  post: <P extends PathsOf<"post">>(path: P, options?: Options<Body<P, "post">>) =>
    send<Answer<P, "post">>("post", path, options),
  put: <P extends PathsOf<"put">>(path: P, options?: Options<Body<P, "put">>) =>
    send<Answer<P, "put">>("put", path, options),
  patch: <P extends PathsOf<"patch">>(path: P, options?: Options<Body<P, "patch">>) =>
    send<Answer<P, "patch">>("patch", path, options),
  delete: <P extends PathsOf<"delete">>(path: P, options?: Options) =>
    send<Answer<P, "delete">>("delete", path, options),
};

export { Refused, Unreachable };
