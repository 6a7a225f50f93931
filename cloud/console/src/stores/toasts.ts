/** Short messages at the edge of the page: what was done, what was not. */
import { signal } from "@preact/signals";

export type Tone = "good" | "bad" | "wait";

export interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

export const toasts = signal<readonly Toast[]>([]);
let last = 0;
const SHOWN_MS: Record<Tone, number> = { good: 5_000, bad: 20_000, wait: 0 };

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Show a message; what is returned can say something else in its place. */
export function toast(tone: Tone, text: string): { say: (tone: Tone, text: string) => void } {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-4), { id, tone, text }];
  fade(id, tone);
  return {
    say(nextTone, nextText) {
      const others = toasts.value.filter((one) => one.id !== id);
      toasts.value = [...others, { id, tone: nextTone, text: nextText }];
      fade(id, nextTone);
    },
  };
}

function fade(id: number, tone: Tone): void {
  if (SHOWN_MS[tone]) setTimeout(() => dismiss(id), SHOWN_MS[tone]);
}
