/** The drawing of a chart: uPlot with our scales, axes, marks and gestures. The only file that knows uPlot. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { bandReach, lasting, reach } from "./marks";
import { paintAbove, paintBelow, type Scenery, scaleOf } from "./paint";
import { type Colour, type Palette, readPalette, seriesColour } from "./palette";
import { numberTicks, timeTicks } from "./ticks";
import { align, type Stretch, type Trace } from "./trace";

/** One curve. */
export interface Line {
  key: string;
  label: string;
  unit: string;
  trace: Trace;
  /** Its token; the n-th series colour without it. */
  colour?: Colour;
  isDashed?: boolean;
  /** A value holds until the next one: states, settings. */
  isStepped?: boolean;
}

export interface Hover {
  at: number;
  /** px from the left of the plot. */
  left: number;
}

/** What people did with the chart, and where the plot is. */
export interface Hands {
  zoom: (view: Stretch) => void;
  select: ((view: Stretch) => void) | null;
  zoomOut: () => void;
  hover: (hover: Hover | null) => void;
  choose: (period: string | null) => void;
  drawn: (area: Area) => void;
}

/** The plot inside the chart, CSS px, and what it shows. */
export interface Area extends Stretch {
  left: number;
  width: number;
}

export interface Picture extends Scenery {
  lines: readonly Line[];
  view: Stretch;
  height: number;
  group: string;
  isSelecting: boolean;
  /** Dates below the times of the axis. */
  hasDates: boolean;
  clock: { locale: string; zone: string };
}

const AXIS_WIDTH = 52;
const LEAST_DRAG_PX = 5;
/** A click waits for so long whether it becomes a double click. */
const DOUBLE_MS = 220;

export class Plot {
  private plot: uPlot;
  private palette: Palette = readPalette();
  private made: string;
  private isSelection = false;
  private clicked: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly box: HTMLElement,
    private picture: Picture,
    private readonly hands: () => Hands,
  ) {
    this.made = structure(picture);
    this.plot = this.make();
  }

  /** Show something else; only what is new is made anew. */
  show(picture: Picture): void {
    const isHigher = picture.height !== this.picture.height;
    this.picture = picture;
    if (structure(picture) !== this.made) this.remake();
    else this.redraw();
    if (isHigher) this.fit();
  }

  /** Draw the readings as they are now. */
  redraw(): void {
    this.plot.setData(align(this.picture.lines.map((one) => one.trace)) as uPlot.AlignedData);
  }

  /** Take the colours of the page anew. */
  recolour(): void {
    this.palette = readPalette();
    this.remake();
  }

  /** Take the size of the box. */
  fit(): void {
    const width = Math.floor(this.box.clientWidth);
    if (width > 0) this.plot.setSize({ width, height: this.picture.height });
  }

  destroy(): void {
    clearTimeout(this.clicked);
    this.plot.destroy();
  }

  private remake(): void {
    this.made = structure(this.picture);
    this.plot.destroy();
    this.plot = this.make();
  }

  private make(): uPlot {
    const width = Math.max(80, Math.floor(this.box.clientWidth));
    const data = align(this.picture.lines.map((one) => one.trace)) as uPlot.AlignedData;
    const made = new uPlot({ ...this.options(), width, height: this.picture.height }, data, this.box);
    made.over.addEventListener("click", (event) => this.click(made, event));
    made.over.addEventListener("dblclick", () => clearTimeout(this.clicked));
    return made;
  }

  private options(): Omit<uPlot.Options, "width" | "height"> {
    const units = unitsOf(this.picture);
    return {
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), this.picture.clock.zone),
      legend: { show: false },
      padding: [24, units.length > 1 ? 0 : 28, 0, 0],
      series: [{}, ...this.picture.lines.map((line, index) => this.series(line, index))],
      scales: {
        x: { time: true, range: () => [this.picture.view.from, this.picture.view.to] },
        ...Object.fromEntries(units.map((unit) => [scaleOf(unit), this.scale(unit)])),
      },
      axes: [this.timeAxis(), ...units.slice(0, 2).map((unit, index) => this.axis(unit, index))],
      cursor: this.cursor(),
      hooks: {
        drawClear: [(plot) => paintBelow(plot, this.picture, this.palette)],
        draw: [(plot) => this.drawn(plot)],
        setCursor: [(plot) => this.hovered(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  private series(line: Line, index: number): uPlot.Series {
    const { stepped } = uPlot.paths;
    return {
      label: line.label,
      scale: scaleOf(line.unit),
      stroke: this.palette[line.colour ?? seriesColour(index)],
      width: line.isDashed ? 1.25 : 1.5,
      dash: line.isDashed ? [6, 4] : undefined,
      paths: line.isStepped && stepped ? stepped({ align: 1 }) : undefined,
      points: { show: (_, __, first, last) => last - first < 60, size: 4 },
    };
  }

  private scale(unit: string): uPlot.Scale {
    return {
      range: (_, min, max) => {
        const { bands, limits, view } = this.picture;
        let data: [number, number] | null =
          Number.isFinite(min) && Number.isFinite(max) && min !== null ? [min, max] : null;
        const others = limits.filter((one) => one.unit === unit).map((one) => one.value);
        for (const band of bands) {
          const found = band.unit === unit ? bandReach(band, view) : null;
          if (!found) continue;
          if (band.isFlat) others.push(...found);
          else data = data ? [Math.min(data[0], found[0]), Math.max(data[1], found[1])] : found;
        }
        return reach(data, others);
      },
    };
  }

  private axis(unit: string, index: number): uPlot.Axis {
    const own = this.picture.lines.filter((one) => one.unit === unit);
    const first = this.picture.lines.findIndex((one) => one.unit === unit);
    const isOnly = own.length === 1 && this.picture.lines.length > 1;
    const colour = isOnly ? (own[0]?.colour ?? seriesColour(first)) : "ink-3";
    return {
      scale: scaleOf(unit),
      side: index === 0 ? 3 : 1,
      size: (_, values) => Math.max(AXIS_WIDTH, 7 * Math.max(0, ...(values ?? []).map((one) => one.length)) + 16),
      gap: 4,
      space: this.picture.height < 160 ? 26 : 36,
      stroke: this.palette[colour],
      font: `12px ${this.palette.font}`,
      grid: { show: index === 0, stroke: this.palette.line, width: 1 },
      ticks: { show: false },
      values: (_, ticks, __, ___, step) => numberTicks(ticks, step, this.picture.clock.locale),
    };
  }

  private timeAxis(): uPlot.Axis {
    return {
      stroke: this.palette["ink-3"],
      font: `12px ${this.palette.font}`,
      size: this.picture.hasDates ? 40 : 26,
      gap: 4,
      lineGap: 1.25,
      space: 76,
      grid: { stroke: this.palette.line, width: 1 },
      ticks: { stroke: this.palette.line, width: 1, size: 5 },
      values: (_, ticks, __, ___, step) => timeTicks(ticks, step, this.picture.clock, this.picture.hasDates),
    };
  }

  private cursor(): uPlot.Cursor {
    return {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX },
      points: { size: 7 },
      sync: {
        key: this.picture.group,
        setSeries: false,
        scales: ["x", null],
        filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
      },
      bind: {
        mousedown: (_, __, handler) => (event) => {
          this.isSelection = event.shiftKey || this.picture.isSelecting;
          return handler(event);
        },
        dblclick: () => () => {
          this.hands().zoomOut();
          return null;
        },
      },
    };
  }

  private drawn(plot: uPlot): void {
    paintAbove(plot, this.picture, this.palette);
    this.paintUnits(plot);
    const ratio = plot.ctx.canvas.width / Math.max(1, plot.width);
    this.hands().drawn({ ...this.picture.view, left: plot.bbox.left / ratio, width: plot.bbox.width / ratio });
  }

  /** The unit stands above the numbers of its axis. */
  private paintUnits(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = ctx.canvas.width / Math.max(1, plot.width);
    ctx.save();
    ctx.font = `12px ${this.palette.font}`.replace("12", String(12 * ratio));
    ctx.fillStyle = this.palette["ink-3"];
    ctx.textBaseline = "bottom";
    for (const [index, unit] of unitsOf(this.picture).slice(0, 2).entries()) {
      ctx.textAlign = index ? "left" : "right";
      const at = index ? bbox.left + bbox.width + 4 * ratio : bbox.left - 4 * ratio;
      ctx.fillText(unit, at, bbox.top - 9 * ratio);
    }
    ctx.restore();
  }

  private hovered(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    this.hands().hover(left < 0 ? null : { at: plot.posToVal(left, "x"), left });
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG_PX) return;
    const view = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") };
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    const { select, zoom } = this.hands();
    if (this.isSelection && select) select(view);
    else zoom(view);
  }

  private click(plot: uPlot, event: MouseEvent): void {
    const at = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
    const found = lasting(this.picture.periods, at).at(-1);
    clearTimeout(this.clicked);
    this.clicked = setTimeout(() => this.hands().choose(found?.id ?? null), DOUBLE_MS);
  }
}

/** Units in the order of their lines, those of bands and limits after them. */
function unitsOf(picture: Picture): string[] {
  const all = [...picture.lines, ...picture.bands, ...picture.limits].map((one) => one.unit);
  return [...new Set(all)];
}

/** What cannot be changed without making the plot anew. */
function structure(picture: Picture): string {
  const lines = picture.lines.map((one) => [one.key, one.label, one.unit, one.colour, one.isDashed, one.isStepped]);
  return JSON.stringify([lines, unitsOf(picture), picture.group, picture.hasDates]);
}
