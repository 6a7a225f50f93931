/** Keyboard shortcuts: one table that the help overlay shows, so that none is secret. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface Shortcut {
  /** What is pressed, such as `?`, `/`, `g a` (one after the other). */
  keys: string;
  text: string;
  act: () => void;
  isGlobal?: boolean;
}

export const shortcuts = signal<readonly Shortcut[]>([]);
const PAUSE_MS = 1200;
let before = "";
let pressedAt = 0;

/** Offer shortcuts while a component is shown. */
export function useShortcuts(offered: readonly Shortcut[]): void {
  const name = offered.map((one) => one.keys + one.text).join();
  // What a key does is that of the newest drawing: it may know of another chosen row than the first one.
  const newest = useRef(offered);
  newest.current = offered;
  useEffect(() => {
    const mine = offered.map((one, index) => ({ ...one, act: () => newest.current[index]?.act() }));
    shortcuts.value = [...shortcuts.value, ...mine];
    return () => {
      shortcuts.value = shortcuts.value.filter((one) => !mine.includes(one));
    };
  }, [name]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  );
}

/** Whether a key means something to what has the focus: Enter on a link follows it. */
function isItsOwn(event: KeyboardEvent): boolean {
  const isPress = event.key === "Enter" || event.key === " ";
  return isPress && event.target instanceof Element && event.target.closest("a, button, summary") !== null;
}

export function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || isTyping(event.target) || isItsOwn(event)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const isSoon = Date.now() - pressedAt < PAUSE_MS;
  const both = isSoon && before ? `${before} ${event.key}` : event.key;
  const found =
    shortcuts.value.findLast((one) => one.keys === both) ?? shortcuts.value.findLast((one) => one.keys === event.key);
  before = event.key;
  pressedAt = Date.now();
  if (!found) return;
  event.preventDefault();
  before = "";
  found.act();
}
