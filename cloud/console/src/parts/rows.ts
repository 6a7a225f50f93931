/** Which rows of a table are shown, in which order, and which of them are in view. */

/** What rows are filtered and sorted by. */
export interface Sortable<T> {
  key: string;
  by?: (row: T) => string | number;
}

export const ROW = 30;
const BEYOND = 12;

/** Return the first and last row to draw of `count`, for a view `height` px high that is scrolled by `top` px. */
export function inView(count: number, top: number, height: number, row = ROW): [number, number] {
  const first = Math.max(0, Math.floor(top / row) - BEYOND);
  return [Math.min(first, count), Math.min(count, Math.ceil((top + height) / row) + BEYOND)];
}

/** Return rows whose sortable texts hold all words of the filter. */
export function filtered<T>(rows: readonly T[], columns: readonly Sortable<T>[], text: string): readonly T[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  return rows.filter((row) => {
    const all = columns
      .map((one) => (one.by ? String(one.by(row)) : ""))
      .join(" ")
      .toLocaleLowerCase();
    return words.every((one) => all.includes(one));
  });
}

/** Return rows in the order of a column; `-key` turns it round. */
export function sorted<T>(rows: readonly T[], columns: readonly Sortable<T>[], order: string): readonly T[] {
  const key = order.replace(/^-/, "");
  const by = columns.find((one) => one.key === key)?.by;
  if (!by) return rows;
  const sign = order.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, other) => sign * compare(by(one), by(other)));
}

/** Made once: 5,000 rows are compared 60,000 times. */
const collator = new Intl.Collator(undefined, { numeric: true });

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return one - other || 0;
  return collator.compare(String(one), String(other));
}
