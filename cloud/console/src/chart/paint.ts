/** What is painted around the lines of a chart: bands, periods and gaps below them, limits above. */
import type uPlot from "uplot";
import { type Band, isBroken, type Limit, type Period, type Tone } from "./marks";
import type { Palette } from "./palette";
import type { BadStretch, Stretch } from "./trace";

export interface Scenery {
  bands: readonly Band[];
  periods: readonly Period[];
  limits: readonly Limit[];
  gaps: readonly Stretch[];
  bad: readonly BadStretch[];
  chosen: string | null;
}

/** The name of the scale of a unit. */
export const scaleOf = (unit: string): string => `y ${unit}`;

const FILL: Record<Tone, keyof Palette> = {
  critical: "critical-soft",
  warning: "warning-soft",
  info: "info-soft",
  accent: "accent-soft",
  muted: "band",
};
const EDGE: Record<Tone, keyof Palette> = {
  critical: "critical",
  warning: "warning",
  info: "info",
  accent: "accent",
  muted: "equipment",
};

/** Paint what lies below the lines. */
export function paintBelow(plot: uPlot, scenery: Scenery, palette: Palette): void {
  clipped(plot, (ctx) => {
    for (const band of scenery.bands) paintBand(plot, ctx, band, palette);
    for (const period of scenery.periods) {
      const isChosen = period.id === scenery.chosen;
      if (isChosen || !period.isLaneOnly) paintPeriod(plot, ctx, period, palette, isChosen);
    }
    for (const gap of scenery.gaps) paintStrip(plot, ctx, gap, palette.equipment);
    for (const bad of scenery.bad) paintStrip(plot, ctx, bad, palette.warning);
  });
}

/** Paint limits over the lines, each with its name. */
export function paintAbove(plot: uPlot, scenery: Scenery, palette: Palette): void {
  clipped(plot, (ctx) => {
    for (const limit of scenery.limits) paintLimit(plot, ctx, limit, palette);
  });
}

function clipped(plot: uPlot, paint: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(ctx);
  ctx.restore();
}

function x(plot: uPlot, at: number): number {
  const { min = 0, max = 1 } = plot.scales.x ?? {};
  return plot.valToPos(Math.max(min - (max - min), Math.min(max + (max - min), at)), "x", true);
}

function paintPeriod(
  plot: uPlot,
  ctx: CanvasRenderingContext2D,
  one: Period,
  palette: Palette,
  isChosen: boolean,
): void {
  const { top, height } = plot.bbox;
  const left = x(plot, one.from);
  const width = Math.max(uPlotRatio(plot), x(plot, one.to) - left);
  ctx.globalAlpha = isChosen ? 0.95 : one.kind === "anomaly" ? 0.5 : 0.3;
  ctx.fillStyle = palette[FILL[one.tone]];
  ctx.fillRect(left, top, width, height);
  if (!isChosen && one.kind !== "selection") return;
  ctx.globalAlpha = 1;
  ctx.lineWidth = uPlotRatio(plot);
  ctx.strokeStyle = palette[EDGE[one.tone]];
  ctx.strokeRect(left, top - 2, width, height + 4);
}

/** A gap or bad readings: a strip of slanted lines at the foot of the plot, so that curves stay readable. */
function paintStrip(plot: uPlot, ctx: CanvasRenderingContext2D, one: Stretch, colour: string): void {
  const ratio = uPlotRatio(plot);
  const left = x(plot, one.from);
  const right = Math.max(left + 2 * ratio, x(plot, one.to));
  const bottom = plot.bbox.top + plot.bbox.height;
  const height = 7 * ratio;
  ctx.save();
  ctx.globalAlpha = 1;
  ctx.beginPath();
  ctx.rect(left, bottom - height, right - left, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * ratio;
  ctx.beginPath();
  const first = Math.max(left, plot.bbox.left) - height;
  const last = Math.min(right, plot.bbox.left + plot.bbox.width);
  for (let at = first; at < last; at += 5 * ratio) {
    ctx.moveTo(at, bottom);
    ctx.lineTo(at + height, bottom - height);
  }
  ctx.stroke();
  ctx.restore();
}

function paintBand(plot: uPlot, ctx: CanvasRenderingContext2D, band: Band, palette: Palette): void {
  if (!isNumber(plot.scales[scaleOf(band.unit)]?.min)) return;
  ctx.globalAlpha = 0.25 + 0.6 * (band.strength ?? 0.35);
  ctx.fillStyle = palette.band;
  let open: number[] = [];
  for (let i = 0; i <= band.times.length; i += 1) {
    const isThere = i < band.times.length && isNumber(band.low[i]) && isNumber(band.high[i]);
    if (isThere) open.push(i);
    if (isThere && i < band.times.length) continue;
    if (open.length > 1) fillBetween(plot, ctx, band, open);
    open = [];
  }
}

function fillBetween(plot: uPlot, ctx: CanvasRenderingContext2D, band: Band, indexes: readonly number[]): void {
  const y = (value: number | null | undefined) => plot.valToPos(value ?? 0, scaleOf(band.unit), true);
  ctx.beginPath();
  for (const i of indexes) ctx.lineTo(x(plot, band.times[i] ?? 0), y(band.high[i]));
  for (const i of [...indexes].reverse()) ctx.lineTo(x(plot, band.times[i] ?? 0), y(band.low[i]));
  ctx.closePath();
  ctx.fill();
}

const isNumber = (value: number | null | undefined): boolean => typeof value === "number" && Number.isFinite(value);

function paintLimit(plot: uPlot, ctx: CanvasRenderingContext2D, limit: Limit, palette: Palette): void {
  const scale = plot.scales[scaleOf(limit.unit)];
  if (scale?.min === undefined || scale.max === undefined || limit.value < scale.min || limit.value > scale.max) return;
  const ratio = uPlotRatio(plot);
  const { left, width, top } = plot.bbox;
  const y = Math.round(plot.valToPos(limit.value, scaleOf(limit.unit), true)) + 0.5;
  ctx.globalAlpha = 1;
  const isBad = limit.tone !== "muted" && isBroken(limit, seen(plot, scaleOf(limit.unit)));
  ctx.strokeStyle = isBad && limit.tone !== "muted" ? palette[limit.tone] : palette.equipment;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash(limit.tone === "critical" ? [] : [6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = `${11 * ratio}px ${palette.font}`;
  const text = ctx.measureText(limit.label).width;
  // Of two limits that are near, one stands above its line and the other below.
  const isInner = (limit.side === "above") !== (limit.tone === "critical");
  const isLow = isInner || y - 15 * ratio < top;
  ctx.textAlign = "right";
  ctx.textBaseline = isLow ? "top" : "bottom";
  const at = isLow ? y + 2 * ratio : y - 2 * ratio;
  ctx.fillStyle = palette.panel;
  ctx.globalAlpha = 0.8;
  ctx.fillRect(left + width - text - 10 * ratio, isLow ? at : at - 13 * ratio, text + 8 * ratio, 13 * ratio);
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette["ink-2"];
  ctx.fillText(limit.label, left + width - 6 * ratio, at);
}

/** The least and greatest value in view of the lines of a scale. */
function seen(plot: uPlot, scale: string): [number, number] | null {
  let found: [number, number] | null = null;
  for (const one of plot.series) {
    if (one.scale !== scale || !isNumber(one.min) || !isNumber(one.max) || one.show === false) continue;
    const [min, max] = [one.min as number, one.max as number];
    found = found ? [Math.min(found[0], min), Math.max(found[1], max)] : [min, max];
  }
  return found;
}

/** Canvas pixels for one of the page's. */
function uPlotRatio(plot: uPlot): number {
  return plot.ctx.canvas.width / Math.max(1, plot.width);
}
