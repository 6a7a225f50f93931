/** Who is at the console, and what they may: every page asks `may` before it offers an action. */
import { signal } from "@preact/signals";
import { api, Refused, send, whenExpired } from "../api/client";
import { go, path } from "../router";

export interface Person {
  name: string;
  role: string;
  scopes: ReadonlySet<string>;
}

export type Access = "asking" | "in" | "out" | "expired" | "unreachable";

export const person = signal<Person | null>(null);
export const access = signal<Access>("asking");
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("lineside.session") : null;

/** Return whether the person here may do what takes this scope. */
export function may(scope: string): boolean {
  return person.value?.scopes.has(scope) ?? false;
}

/** Ask the server who is here. */
export async function askWho(): Promise<void> {
  try {
    const { data } = await api.get("/api/v1/auth/me");
    person.value = { name: data.logged_in_as, role: data.role ?? "", scopes: new Set(data.scopes ?? []) };
    access.value = "in";
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      if (access.value !== "expired") access.value = "out";
    } else if (person.value === null) access.value = "unreachable";
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  await api.post("/api/v1/auth/login", { body: { username: name, password } });
  await askWho();
  tabs?.postMessage("in");
}

export async function logOut(): Promise<void> {
  await send("post", "/api/v1/auth/logout").catch(() => undefined);
  leave();
  tabs?.postMessage("out");
}

function leave(): void {
  person.value = null;
  access.value = "out";
}

function expire(): void {
  if (access.value !== "in") return;
  person.value = null;
  access.value = "expired";
}

/** Keep this tab in step with the others and with the server's word; called once. */
export function watchSession(): void {
  whenExpired(expire);
  tabs?.addEventListener("message", (event) => {
    if (event.data === "out") leave();
    else void askWho();
  });
}

/** Go to the login, and later back to where one was. */
export function toLogin(): void {
  if (path.value !== "/login") go("/login");
}
