/** Severity and state by shape, text and colour: a diamond, a triangle, a circle; grey where nothing is wrong. */
import type { ComponentChildren } from "preact";
import { word } from "../text";

const SHAPES: Record<string, string> = {
  critical: "M7 0 14 7 7 14 0 7Z",
  warning: "M7 1 14 13 0 13Z",
  info: "M7 1a6 6 0 1 1 0 12A6 6 0 0 1 7 1Z",
  offline: "M1 1h12v12H1ZM4 6v2h6V6Z",
  normal: "M3 6h8v2H3Z",
};

export function Shape({ of }: { of: string }) {
  return (
    <svg width="12" height="12" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
      <path d={SHAPES[of] ?? SHAPES.normal} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

/** A severity or state in words with its shape; `soft` marks what was seen by somebody already. */
export function Mark({ of, children, muted = false }: { of: string; children?: ComponentChildren; muted?: boolean }) {
  const tone = muted || !["critical", "warning", "info"].includes(of) ? "muted" : of;
  return (
    <span class={`mark ${tone}`}>
      <Shape of={of} />
      <span>{children ?? word(of)}</span>
    </span>
  );
}

export function Chip({ of = "", children, title }: { of?: string; children: ComponentChildren; title?: string }) {
  return (
    <span class={`chip ${of}`} title={title}>
      {children}
    </span>
  );
}
