/** Light or dark: what a person chose here, else what the system says. */
import { computed, effect, signal } from "@preact/signals";

export type Theme = "light" | "dark" | "auto";
const KEPT = "lineside.theme";
export const THEMES: readonly Theme[] = ["light", "dark", "auto"];
export const theme = signal<Theme>((globalThis.localStorage?.getItem(KEPT) as Theme | null) ?? "auto");
const dark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
const systemIsDark = signal(dark?.matches ?? false);
export const shownTheme = computed(() => {
  if (theme.value !== "auto") return theme.value;
  return systemIsDark.value ? "dark" : "light";
});

export function setTheme(one: Theme): void {
  theme.value = one;
  localStorage.setItem(KEPT, one);
}

export function nextTheme(): void {
  setTheme(shownTheme.value === "dark" ? "light" : "dark");
}

/** Show it, and keep all tabs alike; called once. */
export function watchTheme(): void {
  dark?.addEventListener("change", (event) => {
    systemIsDark.value = event.matches;
  });
  addEventListener("storage", (event) => {
    if (event.key === KEPT && event.newValue) theme.value = event.newValue as Theme;
  });
  effect(() => {
    document.documentElement.dataset.theme = shownTheme.value;
  });
}
