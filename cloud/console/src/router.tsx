/** Addresses under /ui/: the path and query as signals, links that do not load the page anew, deep links. */
import { computed, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

export const BASE = "/ui";
const place = signal(read());

/** The path below /ui, "/" for the first page. */
export const path = computed(() => place.value.path);
/** The query; change it by `setQuery`. */
export const query = computed(() => new URLSearchParams(place.value.search));

function read(): { path: string; search: string } {
  const below = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname;
  return { path: below.replace(/\/+$/, "") || "/", search: location.search };
}

export function href(to: string): string {
  return to.startsWith(BASE) ? to : BASE + (to === "/" ? "/" : to);
}

/** Go to a page; `replace` leaves no step to go back to. */
export function go(to: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", href(to));
  place.value = read();
}

/** Change parts of the query and keep the rest; null or "" takes one out. */
export function setQuery(change: Record<string, string | number | null>, { replace = true } = {}): void {
  const next = new URLSearchParams(place.value.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  const text = next.toString();
  go(`${place.value.path}${text ? `?${text}` : ""}`, { replace });
}

/** Return the values of a pattern such as /devices/:id, null where the path is another one. */
export function match(pattern: string, of: string = path.value): Record<string, string> | null {
  const names: string[] = [];
  const form = pattern.replace(/:(\w+)/g, (_, name: string) => {
    names.push(name);
    return "([^/]+)";
  });
  const found = new RegExp(`^${form}$`).exec(of);
  if (!found) return null;
  return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]));
}

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  title?: string;
  "aria-label"?: string;
}

export function Link({ to, children, ...rest }: LinkProps) {
  const isHere = path.value === (to.split("?")[0] ?? to);
  return (
    <a href={href(to)} aria-current={isHere ? "page" : undefined} {...rest}>
      {children}
    </a>
  );
}

/** Follow links and the browser's own steps; called once. */
export function listen(): void {
  addEventListener("popstate", () => {
    place.value = read();
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    go(link.pathname + link.search);
    document.getElementById("main")?.focus();
  });
}
