/** The range of time that a page shows, as it stands in the query: `range=6h`, or `from` and `to`. */

export interface Range {
  /** ms since 1970. */
  from: number;
  to: number;
  /** The quick range it comes from, such as 6h; null where it is fixed. A quick range ends now and goes on. */
  quick: string | null;
}

export const QUICK = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;
const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
export const LEAST_MS = 2_000;
export const MOST_MS = 5 * 366 * 86_400_000;

/** Return the length of a quick range in ms, NaN where it is none. */
export function quickMs(text: string): number {
  const found = /^(\d{1,4})([smhd])$/.exec(text);
  return found ? Number(found[1]) * (UNIT_MS[found[2] ?? ""] ?? Number.NaN) : Number.NaN;
}

/** Read a range from a query; what is not understood is the quick range `other`. */
export function readRange(query: URLSearchParams, now: number, other = "1h"): Range {
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  if (from < to) return { ...fitted(from, to), quick: null };
  const asked = query.get("range") ?? other;
  const quick = quickMs(asked) >= LEAST_MS && quickMs(asked) <= MOST_MS ? asked : other;
  return { from: now - quickMs(quick), to: now, quick };
}

/** Return what the query says of a range. */
export function writeRange(range: Pick<Range, "from" | "to" | "quick">): Record<string, string | null> {
  if (range.quick) return { range: range.quick, from: null, to: null };
  return { range: null, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

function fitted(from: number, to: number): { from: number; to: number } {
  const span = Math.min(MOST_MS, Math.max(LEAST_MS, to - from));
  const middle = (from + to) / 2;
  if (span === to - from) return { from: Math.round(from), to: Math.round(to) };
  return { from: Math.round(middle - span / 2), to: Math.round(middle + span / 2) };
}

/** Return a fixed range. */
export function fixed(from: number, to: number): Range {
  return { ...fitted(Math.min(from, to), Math.max(from, to)), quick: null };
}

/** Return the range moved by a share of its length; to the right no further than now. */
export function panned(range: Range, share: number, now: number): Range {
  const by = Math.min((range.to - range.from) * share, Math.max(0, now - range.to));
  return fixed(range.from + by, range.to + by);
}

/** Return the range made wider (2) or narrower (0.5) about its middle; one that ends now keeps its end. */
export function zoomed(range: Range, by: number, now: number): Range {
  const span = (range.to - range.from) * by;
  if (range.quick) return fixed(now - span, now);
  const middle = (range.from + range.to) / 2;
  const to = Math.min(middle + span / 2, Math.max(now, range.to));
  return fixed(to - span, to);
}
