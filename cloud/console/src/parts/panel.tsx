/** What pages are put together from: heads, panels, figures, tabs, pairs, and what is there while nothing is. */
import type { ComponentChildren } from "preact";
import { useEffect, useId } from "preact/hooks";
import { reason } from "../says/refusal";
import { appName } from "../stores/plant";
import type { Resource } from "../stores/resource";
import { t } from "../text";

export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · ${appName.value}`;
  }, [title]);
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

export function Panel(props: {
  title?: string;
  tools?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  const id = useId();
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={props.title ? id : undefined}>
      {(props.title || props.tools) && (
        <header>
          {props.title && <h2 id={id}>{props.title}</h2>}
          {props.tools}
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Figure(props: {
  label: string;
  value: ComponentChildren;
  unit?: string;
  tone?: string;
  title?: string;
}) {
  return (
    <div class={`figure ${props.tone ?? ""}`} title={props.title}>
      <div class="value">
        {props.value}
        {props.unit && <span class="unit">{props.unit}</span>}
      </div>
      <div class="label">{props.label}</div>
    </div>
  );
}

export function Pairs({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="pairs">
      {of.map(([name, value]) => [<dt key={`${name}-t`}>{name}</dt>, <dd key={`${name}-d`}>{value}</dd>])}
    </dl>
  );
}

export function Progress({ share, isFailed = false, label }: { share: number; isFailed?: boolean; label: string }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, share)));
  return (
    <div
      class={`progress ${isFailed ? "failed" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

export function Tabs<K extends string>(props: {
  label: string;
  tabs: readonly (readonly [K, ComponentChildren])[];
  chosen: K;
  choose: (tab: K) => void;
}) {
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const index = props.tabs.findIndex(([key]) => key === props.chosen);
    const next = props.tabs[(index + step + props.tabs.length) % props.tabs.length];
    if (next) props.choose(next[0]);
    const box = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => box.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={press}>
      {props.tabs.map(([key, text]) => (
        <button
          key={key}
          type="button"
          role="tab"
          aria-selected={key === props.chosen}
          tabIndex={key === props.chosen ? 0 : -1}
          onClick={() => props.choose(key)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** What is shown where a list is not there yet, could not be read, or is empty: the next step, never a blank. */
export function Ready<T>(props: { of: Resource<T>; empty: ComponentChildren; children: ComponentChildren }) {
  const state = props.of.state.value;
  if (state === "failed") return <Failed error={props.of.error.value} retry={() => void props.of.load()} />;
  if (state !== "ready" && props.of.list.value.length === 0) return <Loading />;
  if (props.of.list.value.length === 0) return <div class="panel empty">{props.empty}</div>;
  return <>{props.children}</>;
}

export function Loading() {
  return (
    <p class="quiet" role="status">
      {t("common.loading")}
    </p>
  );
}

export function Failed({ error, retry }: { error: Error | null; retry?: () => void }) {
  return (
    <div class="panel empty" role="alert">
      <p>{t("common.failed", { why: error ? reason(error) : t("common.unknown") })}</p>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          {t("common.retry")}
        </button>
      )}
    </div>
  );
}
