/** Times that people type: always on the plant's clock, whatever zone their browser is in. */
import { zone } from "./zone";

const MINUTE_MS = 60_000;

let known: { zone: string; format: Intl.DateTimeFormat } | null = null;

function format(): Intl.DateTimeFormat {
  if (known?.zone !== zone.value) {
    const made = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone.value,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    known = { zone: zone.value, format: made };
  }
  return known.format;
}

function onClock(ms: number): number {
  const of = Object.fromEntries(
    format()
      .formatToParts(ms)
      .map((one) => [one.type, Number(one.value)]),
  );
  return Date.UTC(of.year ?? 0, (of.month ?? 1) - 1, of.day ?? 1, of.hour ?? 0, of.minute ?? 0);
}

/** Return a time as a `datetime-local` input takes it: 2026-11-22T14:30 on the plant's clock. */
export function typed(ms: number): string {
  return new Date(onClock(ms)).toISOString().slice(0, 16);
}

/** Return ms since 1970 of what was typed, NaN where it is no time; an hour that is there twice is the first one. */
export function meant(text: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return Number.NaN;
  const wanted = new Date(`${text.slice(0, 16)}Z`).getTime();
  if (!Number.isFinite(wanted)) return Number.NaN;
  const offsets = [-86_400_000, 86_400_000].map(
    (by) => onClock(wanted + by) - (wanted + by - ((wanted + by) % MINUTE_MS)),
  );
  const tries = offsets.map((offset) => wanted - offset).sort((one, other) => one - other);
  return tries.find((one) => onClock(one) === wanted) ?? tries[0] ?? Number.NaN;
}
