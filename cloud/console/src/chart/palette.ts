/** The colours of charts: read from the page's tokens, anew when the theme changes. */

const NAMES = [
  "ink",
  "ink-2",
  "ink-3",
  "line",
  "line-strong",
  "band",
  "equipment",
  "panel",
  "raised",
  "accent",
  "accent-soft",
  "critical",
  "critical-soft",
  "warning",
  "warning-soft",
  "info",
  "info-soft",
  "series-1",
  "series-2",
  "series-3",
  "series-4",
  "series-5",
  "series-6",
  "font",
] as const;

export type Colour = (typeof NAMES)[number];
export type Palette = Readonly<Record<Colour, string>>;
export const SERIES = 6;

/** Read the tokens as they are now. */
export function readPalette(of: Element = document.documentElement): Palette {
  const style = getComputedStyle(of);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Palette;
}

/** The token of the n-th series, counted from 0; after six they come again. */
export function seriesColour(index: number): Colour {
  return `series-${(index % SERIES) + 1}` as Colour;
}
