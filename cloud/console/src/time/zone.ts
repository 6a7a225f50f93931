/** Times as the plant says them: its own zone, 24 h clock, ISO weeks. */
import { signal } from "@preact/signals";
import { locale, t } from "../text";

/** The plant's time zone, from the settings. */
export const zone = signal("UTC");
/** The time now, a second at a time; whoever reads it is drawn anew each second. */
export const now = signal(Date.now());

export type Moment = string | number | Date | null | undefined;

export function ms(at: Moment): number {
  return at === null || at === undefined ? Number.NaN : new Date(at).getTime();
}

type Form = "time" | "short" | "full" | "day" | "seconds";
const FORMS: Record<Form, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  short: { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" },
  day: { weekday: "short", day: "2-digit", month: "short", year: "numeric" },
  full: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const formats = new Map<string, Intl.DateTimeFormat>();

function format(form: Form): Intl.DateTimeFormat {
  const key = `${locale.value} ${zone.value} ${form}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale.value, { ...FORMS[form], hourCycle: "h23", timeZone: zone.value });
    formats.set(key, found);
  }
  return found;
}

/** Return a time in the plant's zone, a dash where there is none. */
export function at(moment: Moment, form: Form = "short"): string {
  const time = ms(moment);
  return Number.isFinite(time) ? format(form).format(time) : "–";
}

const STEPS: readonly [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** Return a length of time in its two largest units: 2 d 4 h, 3 min, 12 s. */
export function length(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  for (const [index, [size, unit]] of STEPS.entries()) {
    if (whole < size) continue;
    const rest = STEPS[index + 1];
    const left = rest ? Math.floor((whole % size) / rest[0]) : 0;
    return left && rest
      ? `${Math.floor(whole / size)} ${unit} ${left} ${rest[1]}`
      : `${Math.floor(whole / size)} ${unit}`;
  }
  return `${whole} s`;
}

/** Return how long ago something was, or in how long it will be. */
export function ago(moment: Moment, from: number = now.value): string {
  const seconds = (from - ms(moment)) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  if (Math.abs(seconds) < 2) return t("common.just_now");
  return seconds > 0 ? t("common.ago", { time: length(seconds) }) : t("common.in_time", { time: length(-seconds) });
}

/** Return the ISO 8601 week of a time in the plant's zone, as [year, week]. */
export function isoWeek(moment: Moment): [number, number] {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone.value, dateStyle: "short" }).format(ms(moment));
  const day = new Date(`${parts}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
  const year = day.getUTCFullYear();
  return [year, Math.ceil(((day.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7)];
}

/** Let the clock run; called once. */
export function tick(): void {
  setInterval(() => {
    now.value = Date.now();
  }, 1000);
}
