/**
 * TimeChart: curves over time with limits, bands, marked periods and flags; drag to zoom, keys to pan, one crosshair
 * for all charts of a group.
 *
 * It draws what it is given and asks nobody; `useTraces` (history.ts) reads and follows readings, `useRange`
 * (picker.tsx) keeps the range in the query:
 *
 *     const range = useRange("6h");
 *     const [box, pixels] = usePixels();
 *     const { traces } = useTraces([{ device: "pump-1", metric: "flow" }], range.value, pixels);
 *     <TimePicker range={range} />
 *     <div ref={box}>
 *       <TimeChart
 *         label="Flow of pump-1"
 *         range={range}
 *         lines={traces.map((one) => ({ key: one.key, label: one.metric, unit: one.unit, trace: one.trace }))}
 *       />
 *     </div>
 *
 * A fan of quantiles against what then came (data of one's own; times in ms since 1970):
 *
 *     const bands = fan(times, [{ share: 0.1, values: p10 }, { share: 0.9, values: p90 }], "°C");
 *     const median = new Trace({ times, values: p50 });
 *     const actual = new Trace({ times: hours, values: then });
 *     <TimeChart label="Forecast" range={range} bands={bands} lines={[
 *       { key: "p50", label: "median", unit: "°C", trace: median, isDashed: true },
 *       { key: "actual", label: "actual", unit: "°C", trace: actual },
 *     ]} />
 *
 * Make a `Trace` once (useMemo), not at every drawing. Charts outside a time range of the query: `steadyRange(from, to)`.
 */
import "../style/chart.css";
import { effect, type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { number } from "../parts/number";
import { shownTheme } from "../stores/theme";
import { locale, t } from "../text";
import { zone } from "../time/zone";
import { FlagLane, PeriodLane } from "./lanes";
import { Legend } from "./legend";
import type { Band, Flag, Limit, Period } from "./marks";
import type { RangeControl } from "./picker";
import { type Area, type Hands, type Hover, type Line, type Picture, Plot } from "./plot";
import { readRange } from "./range";
import { type BadStretch, type Stretch, summary, type Trace } from "./trace";

export type { Line } from "./plot";

export interface TimeChartProps {
  /** What it shows, for those who cannot see it. */
  label: string;
  range: RangeControl;
  lines: readonly Line[];
  limits?: readonly Limit[];
  bands?: readonly Band[];
  periods?: readonly Period[];
  flags?: readonly Flag[];
  /** px, without the legend and the lanes of marks. */
  height?: number;
  /** Charts of a group share their crosshair. */
  group?: string;
  /** The period that stands out. */
  chosen?: string | null;
  choose?: (period: string | null) => void;
  /** Called for a stretch that was marked by dragging with Shift. */
  select?: (view: Stretch) => void;
  /** Dragging marks instead of zooming. */
  isSelecting?: boolean;
  hasLegend?: boolean;
  /** False where a chart above it has the lane of periods already. */
  hasPeriodLane?: boolean;
  /** False where a chart below it says the dates. */
  hasDates?: boolean;
}

const NONE: readonly never[] = [];

export function TimeChart(props: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const area = useSignal<Area | null>(null);
  const hover = useSignal<Hover | null>(null);
  const { range, lines } = props;
  usePlot(box, props, area, hover);
  const flags = props.flags ?? NONE;
  const periods = props.periods ?? NONE;
  const laned = props.hasPeriodLane === false ? NONE : periods;
  return (
    <div class="chart">
      {props.hasLegend !== false && (
        <Legend lines={lines} bands={props.bands ?? NONE} hover={hover} area={area} periods={periods} />
      )}
      {(flags.length > 0 || laned.length > 0) && (
        <div class="chart-lanes">
          {flags.length > 0 && <FlagLane flags={flags} area={area} choose={props.choose} />}
          {laned.length > 0 && (
            <PeriodLane periods={laned} area={area} chosen={props.chosen ?? null} choose={props.choose} />
          )}
        </div>
      )}
      <div
        class="chart-box"
        ref={box}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture is moved by keys
        tabIndex={0}
        aria-label={inWords(props)}
        onFocus={(event) => event.currentTarget.setAttribute("aria-label", inWords(props))}
        onKeyDown={keys(range)}
      />
    </div>
  );
}

/** What the chart shows, in words: the newest, least and greatest value of each line. */
function inWords({ label, lines, range }: TimeChartProps): string {
  const view = range.value;
  const parts = lines.map((line) => {
    const found = summary(line.trace, view);
    if (!found) return t("device.chart_no_readings", { name: line.label });
    const text = (value: number) => number(value, line.unit);
    return t("device.chart_in_words", {
      name: line.label,
      last: text(found.last),
      min: text(found.min),
      max: text(found.max),
    });
  });
  return [label, ...parts, t("device.chart_keys")].join(". ");
}

function keys(range: RangeControl): (event: KeyboardEvent) => void {
  const acts: Record<string, () => void> = {
    ArrowLeft: () => range.pan(-0.1),
    ArrowRight: () => range.pan(0.1),
    PageUp: () => range.pan(-0.8),
    PageDown: () => range.pan(0.8),
    "+": () => range.zoom(0.5),
    "=": () => range.zoom(0.5),
    "-": () => range.zoom(2),
    End: () => range.live(),
  };
  return (event) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
}

/** Make the plot in its box, and keep it as the props, the readings, the clock, the theme and the size are. */
function usePlot(
  box: { current: HTMLDivElement | null },
  props: TimeChartProps,
  area: Signal<Area | null>,
  hover: Signal<Hover | null>,
): void {
  const plot = useRef<Plot | null>(null);
  const now = useRef(props);
  now.current = props;
  useEffect(() => {
    if (!box.current) return;
    const made = new Plot(box.current, pictureOf(now.current), () => handsOf(now.current, area, hover));
    plot.current = made;
    const size = new ResizeObserver(() => made.fit());
    size.observe(box.current);
    const scheme = effect(() => {
      if (shownTheme.value) requestAnimationFrame(() => plot.current?.recolour());
    });
    return () => {
      size.disconnect();
      scheme();
      plot.current = null;
      made.destroy();
    };
  }, []);
  const clock = `${locale.value} ${zone.value}`;
  useEffect(() => plot.current?.show(pictureOf(now.current)));
  useEffect(
    () => follow(props.lines, () => plot.current?.show(pictureOf(now.current))),
    [props.lines.map((one) => one.trace), props.range.value.quick, clock].flat(),
  );
}

/** Draw anew when readings come, at most once a frame, and each second while the range ends now. */
function follow(lines: readonly Line[], draw: () => void): () => void {
  let frame = 0;
  const soon = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  const end = effect(() => {
    for (const one of lines) void one.trace.changed.value;
    soon();
  });
  const beat = setInterval(soon, 1000);
  return () => {
    end();
    clearInterval(beat);
    cancelAnimationFrame(frame);
  };
}

function pictureOf(props: TimeChartProps): Picture {
  const { value } = props.range;
  const view = value.quick ? readRange(new URLSearchParams({ range: value.quick }), Date.now()) : value;
  return {
    lines: props.lines,
    view,
    height: props.height ?? 260,
    group: props.group ?? "page",
    isSelecting: props.isSelecting ?? false,
    hasDates: props.hasDates ?? true,
    clock: { locale: locale.value, zone: zone.value },
    bands: props.bands ?? NONE,
    limits: props.limits ?? NONE,
    periods: props.periods ?? NONE,
    gaps: props.lines.flatMap((one) => gapsOf(one.trace, value.quick ? view.to : null)),
    bad: props.lines.flatMap((one) => one.trace.bad as readonly BadStretch[]),
    chosen: props.chosen ?? null,
  };
}

/** The gaps of a trace, and the one that lasts until now where the range goes on. */
function gapsOf(trace: Trace, now: number | null): readonly Stretch[] {
  const open = now === null ? null : trace.openGap(now);
  return open ? [...trace.gaps, open] : trace.gaps;
}

function handsOf(props: TimeChartProps, area: Signal<Area | null>, hover: Signal<Hover | null>): Hands {
  return {
    zoom: (view) => props.range.set(view),
    zoomOut: () => props.range.zoom(2),
    select: props.select ?? null,
    choose: (id) => props.choose?.(id),
    hover: (found) => {
      hover.value = found;
    },
    drawn: (found) => {
      area.value = found;
    },
  };
}
