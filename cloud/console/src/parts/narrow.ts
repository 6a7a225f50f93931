/** Whether the window is as narrow as a phone's: tables pile the cells of a row up then. */
import { signal } from "@preact/signals";

const narrow = globalThis.matchMedia?.("(max-width: 600px)");
export const isNarrow = signal(narrow?.matches ?? false);
narrow?.addEventListener("change", (event) => {
  isNarrow.value = event.matches;
});
