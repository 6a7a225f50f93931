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
 * date alone where ticks are a day or more apart.
 */
export function timeTicks(ticks: readonly number[], stepMs: number, clock: Clock): string[] {
  const day = format(clock, "day", { day: "2-digit", month: "short" });
  const year = format(clock, "year", { year: "numeric" });
  if (stepMs >= DAY)
    return labelled(
      ticks,
      (one) => day.format(one),
      (one) => year.format(one),
    );
  const time =
    stepMs >= MINUTE
      ? format(clock, "time", { hour: "2-digit", minute: "2-digit" })
      : format(clock, "seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return labelled(
    ticks,
    (one) => time.format(one),
    (one) => day.format(one),
  );
}

function labelled(ticks: readonly number[], first: (at: number) => string, second: (at: number) => string): string[] {
  let before = "";
  return ticks.map((one) => {
    const below = second(one);
    const isNew = below !== before;
    before = below;
    return isNew ? `${first(one)}\n${below}` : first(one);
  });
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
