/** The days of a calendar on the plant's clock, and which events fall on each. */
import { meant, typed } from "../../time/typed";

export interface Span {
  start_time: string;
  end_time: string;
}

export interface Day<T> {
  /** Its midnight, ms since 1970, and the next one. */
  from: number;
  to: number;
  events: T[];
}

const DAY_MS = 86_400_000;

/** Return the midnight of the day that lies so many days after that of `at`, on the plant's clock. */
export function midnight(at: number, days = 0): number {
  const day = new Date(`${typed(at).slice(0, 10)}T00:00Z`).getTime() + days * DAY_MS;
  return meant(`${new Date(day).toISOString().slice(0, 10)}T00:00`);
}

/** Return whole weeks from the Monday of `now` on, each day with the events that touch it. */
export function weeksOf<T extends Span>(events: readonly T[], now: number, weeks: number): Day<T>[] {
  const weekday = new Date(`${typed(now).slice(0, 10)}T00:00Z`).getUTCDay() || 7;
  return Array.from({ length: 7 * weeks }, (_, index) => {
    const from = midnight(now, index + 1 - weekday);
    const to = midnight(now, index + 2 - weekday);
    const touching = events.filter((one) => Date.parse(one.start_time) < to && Date.parse(one.end_time) > from);
    return {
      from,
      to,
      events: touching.sort((one, other) => Date.parse(one.start_time) - Date.parse(other.start_time)),
    };
  });
}
