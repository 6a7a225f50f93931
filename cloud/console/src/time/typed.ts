/** Times that people type: always on the plant's clock and with 24 hours, whatever their browser is set to. */
import { zone } from "./zone";

/** An example of what is typed; the seconds may be left out. */
export const TIME_FORM = "2026-01-15 10:30";

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(name: string): Intl.DateTimeFormat {
  let found = clocks.get(name);
  if (!found) {
    const two = "2-digit" as const;
    const form = { year: "numeric", month: two, day: two, hour: two, minute: two, second: two } as const;
    found = new Intl.DateTimeFormat("en-CA", { ...form, timeZone: name, hourCycle: "h23" });
    clocks.set(name, found);
  }
  return found;
}

/** Return how far the plant's clock is ahead of UTC at a time, in ms. */
function offsetMs(at: number): number {
  const parts = clockOf(zone.value).formatToParts(at);
  const of = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(at / 1000) * 1000;
}

/** Return a time to be edited, to the second: 2026-01-15 10:30:05. */
export function typedFully(at: number): string {
  return new Date(at + offsetMs(at)).toISOString().slice(0, 19).replace("T", " ");
}

/** Return a time to be edited, to the minute: 2026-01-15 10:30. */
export function typed(at: number): string {
  return typedFully(at).slice(0, 16);
}

/** Return ms since 1970 of what was typed, NaN where it is no time; an hour that is there twice is the first one. */
export function meant(text: string): number {
  if (!/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?$/.test(text.trim())) return Number.NaN;
  const wall = Date.parse(`${text.trim().replace(" ", "T")}Z`);
  if (!Number.isFinite(wall)) return Number.NaN;
  const tries = [-86_400_000, 86_400_000].map((by) => wall - offsetMs(wall + by)).sort((one, other) => one - other);
  return tries.find((one) => one + offsetMs(one) === wall) ?? tries[0] ?? Number.NaN;
}
