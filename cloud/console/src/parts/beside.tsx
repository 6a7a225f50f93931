/** A list with what is opened of it beside it, and the small parts that an opened thing is told in. */
import "../style/beside.css";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { useShortcuts } from "../keys";
import { t } from "../text";

export function Beside(props: { isOpen: boolean; isHalf?: boolean; children: ComponentChildren }) {
  return (
    <div class={`beside ${props.isOpen ? "open" : ""} ${props.isHalf ? "half" : ""}`.trim()}>{props.children}</div>
  );
}

interface OpenedProps {
  title: string;
  close: () => void;
  /** Grows with the page instead of scrolling by itself. */
  isLong?: boolean;
  tools?: ComponentChildren;
  children: ComponentChildren;
}

/** What is opened; Escape closes it. */
export function Opened({ title, close, isLong, tools, children }: OpenedProps) {
  const id = useId();
  useShortcuts([{ keys: "Escape", text: t("shell.shortcut_close"), act: close }]);
  return (
    <section class={`panel opened ${isLong ? "long" : ""}`} aria-labelledby={id} tabIndex={isLong ? undefined : 0}>
      <header>
        <h2 id={id}>{title}</h2>
        {tools}
        <button type="button" class="button plain icon" aria-label={t("common.close")} onClick={close}>
          ×
        </button>
      </header>
      {children}
    </section>
  );
}

export function Part({
  title,
  tools,
  children,
}: {
  title: string;
  tools?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="part">
      <h3 class={tools ? "row spread" : ""}>
        {title}
        {tools}
      </h3>
      {children}
    </section>
  );
}
