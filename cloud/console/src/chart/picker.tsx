/** Choose the range of time that a page shows: quick ranges, two times, back and forward, live. It lives in the query. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useForm } from "../parts/form";
import { isTime, TimeInput } from "../parts/time-input";
import { query, setQuery } from "../router";
import { type TextKey, t } from "../text";
import { meant, typedFully } from "../time/typed";
import { at, zone } from "../time/zone";
import { fixed, panned, QUICK, type Range, readRange, writeRange, zoomed } from "./range";
import type { Stretch } from "./trace";

/** A range of time and what can be done with it; `value` is read anew at each drawing. */
export interface RangeControl {
  readonly value: Range;
  /** Show a stretch. */
  set: (view: Stretch) => void;
  /** Move by a share of its length. */
  pan: (share: number) => void;
  /** Show so many times as much. */
  zoom: (by: number) => void;
  quick: (range: string) => void;
  /** End now, and go on. */
  live: () => void;
}

/** The range of this page, kept in the query as `range`, or `from` and `to`. */
export function useRange(other = "1h"): RangeControl {
  return useMemo(() => {
    const value = () => readRange(query.value, Date.now(), other);
    const write = (range: Range, replace = false) => setQuery(writeRange(range), { replace });
    return control(value, write, other);
  }, [other]);
}

/** A range that stands in no query, for charts in dialogs and previews. */
export function useOwnRange(first: Range): RangeControl {
  const held: Signal<Range> = useSignal(first);
  return useMemo(() => {
    const value = () => {
      const now = held.value;
      return now.quick ? readRange(new URLSearchParams({ range: now.quick }), Date.now()) : now;
    };
    const write = (range: Range) => {
      held.value = range;
    };
    return control(value, write, first.quick ?? "1h");
  }, [held]);
}

/** A range that nobody changes. */
export function steadyRange(from: number, to: number): RangeControl {
  return control(
    () => fixed(from, to),
    () => undefined,
    "1h",
  );
}

function control(read: () => Range, write: (range: Range, replace?: boolean) => void, other: string): RangeControl {
  return {
    get value() {
      return read();
    },
    set: ({ from, to }) => write(fixed(from, to)),
    pan: (share) => write(panned(read(), share, Date.now()), true),
    zoom: (by) => write(zoomed(read(), by, Date.now()), true),
    quick: (range) => write({ ...read(), quick: range }),
    live: () => write({ ...read(), quick: read().quick ?? other }),
  };
}

export function rangeText(range: Range): string {
  if (range.quick) return t("device.last", { range: quickText(range.quick) });
  const isShort = range.to - range.from < 600_000;
  const isSameDay = typedFully(range.from).slice(0, 10) === typedFully(range.to).slice(0, 10);
  const form = isShort ? "full" : "short";
  return `${at(range.from, form)} – ${at(range.to, isSameDay ? (isShort ? "seconds" : "time") : form)}`;
}

function quickText(range: string): string {
  return (QUICK as readonly string[]).includes(range) ? t(`device.quick_${range}` as TextKey) : range;
}

export function TimePicker({ range }: { range: RangeControl }) {
  const isOpen = useSignal(false);
  const value = range.value;
  return (
    <div class="time-picker">
      <Step name={t("device.range_back")} act={() => range.pan(-0.5)} d="M9 2 4 7l5 5" />
      <Choice range={range} isOpen={isOpen} />
      <Step name={t("device.range_forward")} act={() => range.pan(0.5)} d="m5 2 5 5-5 5" isOff={value.quick !== null} />
      <Step
        name={t("device.range_wider")}
        act={() => range.zoom(2)}
        d="M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1ZM3.5 6h5M10 10l3 3"
      />
      <button
        type="button"
        class="button live-button"
        aria-pressed={value.quick !== null}
        title={t("device.range_live_hint")}
        onClick={() => (value.quick ? range.set(value) : range.live())}
      >
        <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
          {value.quick ? (
            <path d="M1 0 8 4 1 8Z" fill="currentColor" />
          ) : (
            <path d="M0 0h3v8H0zM5 0h3v8H5z" fill="currentColor" />
          )}
        </svg>
        {t(value.quick ? "device.range_live" : "device.range_still")}
      </button>
    </div>
  );
}

function Step({ name, act, d, isOff = false }: { name: string; act: () => void; d: string; isOff?: boolean }) {
  return (
    <button type="button" class="button icon" aria-label={name} title={name} disabled={isOff} onClick={act}>
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <path d={d} fill="none" stroke="currentColor" stroke-width="1.6" />
      </svg>
    </button>
  );
}

function Choice({ range, isOpen }: { range: RangeControl; isOpen: Signal<boolean> }) {
  const box = useRef<HTMLDivElement>(null);
  const close = () => {
    isOpen.value = false;
  };
  useEffect(() => {
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the sheet wherever the focus is in it
    <div
      class="popover"
      ref={box}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <button
        type="button"
        class="button range-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        {rangeText(range.value)}
        <svg width="10" height="6" viewBox="0 0 10 6" aria-hidden="true">
          <path d="m1 1 4 4 4-4" fill="none" stroke="currentColor" stroke-width="1.4" />
        </svg>
      </button>
      {isOpen.value && <Sheet range={range} close={close} />}
    </div>
  );
}

function Sheet({ range, close }: { range: RangeControl; close: () => void }) {
  const value = range.value;
  const form = useForm(() => ({
    from: [typedFully(value.from), isTime],
    to: [typedFully(value.to), isTime],
  }));
  const apply = () => {
    const from = meant(form.value("from"));
    const to = meant(form.value("to"));
    if (!form.isGood) return;
    if (!(from < to)) return form.fields.to.tell(t("device.to_after_from"));
    range.set({ from, to });
    close();
  };
  return (
    <div class="sheet range-sheet" role="dialog" aria-label={t("device.range")}>
      <div class="quick-ranges">
        {QUICK.map((one) => (
          <button
            key={one}
            type="button"
            class="button plain"
            aria-pressed={value.quick === one}
            onClick={() => {
              range.quick(one);
              close();
            }}
          >
            {t("device.last", { range: quickText(one) })}
          </button>
        ))}
      </div>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <TimeInput field={form.fields.from} label={t("common.from")} hint="" />
        <TimeInput field={form.fields.to} label={t("common.to")} hint="" />
        <p class="quiet">{t("device.zone", { zone: zone.value })}</p>
        <button type="submit" class="button main-action">
          {t("device.show")}
        </button>
      </form>
    </div>
  );
}
