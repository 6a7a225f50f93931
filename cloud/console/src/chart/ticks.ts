/** Texts of the axes: times in the plant's zone with a 24 h clock, numbers with as many digits as their steps need. */

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Clock {
  locale: string;
  zone: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format({ locale, zone }: Clock, form: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${form}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone, hourCycle: "h23" });
    formats.set(key, found);
  }
  return found;
}

/**
 * Return the text of each tick (ms since 1970): the time of day, and below it the date where a new day begins; the
 * date alone where ticks are a day or more apart. Without dates only the first line is said.
 */
export function timeTicks(ticks: readonly number[], stepMs: number, clock: Clock, hasDates = true): string[] {
  const day = format(clock, "day", { day: "2-digit", month: "short" });
  const [first, second] =
    stepMs >= DAY ? [day, format(clock, "year", { year: "numeric" })] : [timeOfDay(stepMs, clock), day];
  if (!hasDates) return ticks.map((one) => first.format(one));
  let before = "";
  return ticks.map((one) => {
    const below = second.format(one);
    const isNew = below !== before;
    before = below;
    return isNew ? `${first.format(one)}\n${below}` : first.format(one);
  });
}

function timeOfDay(stepMs: number, clock: Clock): Intl.DateTimeFormat {
  const two = "2-digit";
  if (stepMs >= MINUTE) return format(clock, "time", { hour: two, minute: two });
  return format(clock, "seconds", { hour: two, minute: two, second: two });
}

/** Return the text of each number tick with the digits that the step between them needs. */
export function numberTicks(ticks: readonly (number | null)[], step: number, locale: string): string[] {
  const size = Math.max(...ticks.map((one) => Math.abs(one ?? 0)), 0);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) {
    return ticks.map((one) => (one === null ? "" : one === 0 ? "0" : one.toExponential(1)));
  }
  const digits = Math.min(8, Math.max(0, -Math.floor(Math.log10(step || 1) + 1e-9)));
  const form = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return ticks.map((one) => (one === null ? "" : form.format(one)));
}
