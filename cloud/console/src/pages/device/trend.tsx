/** The trend of a device: the chosen channels over time, a chart for each unit, one crosshair and one range for all. */
import { useMemo } from "preact/hooks";
import { type Line, TimeChart } from "../../chart/chart";
import { type Read, useTraces, type Wanted } from "../../chart/history";
import { type Band, type Flag, flatBand, type Limit, type Period } from "../../chart/marks";
import { type Colour, seriesColour } from "../../chart/palette";
import { type RangeControl, TimePicker } from "../../chart/picker";
import { usePixels } from "../../chart/pixels";
import type { Stretch } from "../../chart/trace";
import { Failed, Loading, Panel } from "../../parts/panel";
import { t } from "../../text";
import { limitLines } from "./channel";
import { Compare, type Comparison } from "./compare";
import { type Facts, limitsOf } from "./data";
import { surveyed } from "./survey";

export interface TrendProps {
  device: string;
  channels: readonly string[];
  range: RangeControl;
  compared: Comparison;
  facts: Facts | null;
  periods: readonly Period[];
  flags: readonly Flag[];
  chosen: string | null;
  choose: (period: string | null) => void;
  select?: (view: Stretch) => void;
  isSelecting: boolean;
  tools?: preact.ComponentChildren;
}

const DAY_MS = 86_400_000;
export const EARLIER_MS: Record<string, number> = { "1d": DAY_MS, "7d": 7 * DAY_MS };

/** Return what is read: each channel, and beside it that of an earlier time or another device. */
function wantedOf(device: string, channels: readonly string[], compared: Comparison): Wanted[] {
  const own = channels.map((metric): Wanted => ({ device, metric }));
  const earlierMs = EARLIER_MS[compared.earlier];
  const before = earlierMs ? own.map((one): Wanted => ({ ...one, earlierMs })) : [];
  const others = compared.other ? own.map((one): Wanted => ({ ...one, device: compared.other })) : [];
  return [...own, ...before, ...others];
}

export function Trend(props: TrendProps) {
  const { device, channels, range, compared } = props;
  const [box, pixels] = usePixels();
  const { traces, error, isLoading, reload } = useTraces(wantedOf(device, channels, compared), range.value, pixels);
  const charts = useMemo(() => byUnit(traces), [traces]);
  const height = charts.length > 2 ? 130 : charts.length === 2 ? 180 : 280;
  return (
    <Panel title={t("device.trend")} tools={<TimePicker range={range} />} class="device-trend">
      <div class="tools">
        <Compare device={device} channels={channels} compared={compared} />
        {props.tools}
        {isLoading && traces.length > 0 && <span class="quiet">{t("common.loading")}</span>}
      </div>
      <div class="stack" ref={box}>
        {error && <Failed error={error} retry={reload} />}
        {!error && !traces.length && (channels.length ? <Loading /> : <p class="quiet">{t("device.no_channels")}</p>)}
        {charts.map((reads, index) => (
          <UnitChart
            key={reads[0]?.unit}
            {...props}
            reads={reads}
            isFirst={index === 0}
            isLast={index === charts.length - 1}
            height={height}
          />
        ))}
        {traces.length > 0 && traces.every((one) => one.trace.last === null) && (
          <p class="quiet" role="status">
            {t("device.no_readings")}
          </p>
        )}
      </div>
    </Panel>
  );
}

function byUnit(traces: readonly Read[]): Read[][] {
  const units = new Map<string, Read[]>();
  for (const one of traces) units.set(one.unit, [...(units.get(one.unit) ?? []), one]);
  return [...units.values()];
}

function UnitChart(props: TrendProps & { reads: readonly Read[]; isFirst: boolean; isLast: boolean; height: number }) {
  const { reads, device, channels, facts } = props;
  const own = reads.filter((one) => one.device === device && !one.earlierMs);
  const [only] = own.length === 1 ? own : [];
  return (
    <TimeChart
      label={t("device.trend_of", { device, channels: own.map((one) => one.metric).join(", ") })}
      range={props.range}
      lines={reads.map((one) => lineOf(one, device, channels))}
      limits={only ? limitsIn(facts, only) : []}
      bands={only ? usualIn(device, only) : []}
      periods={props.periods}
      flags={props.isFirst ? props.flags : []}
      height={props.height}
      chosen={props.chosen}
      choose={props.choose}
      select={props.select}
      isSelecting={props.isSelecting}
      hasPeriodLane={props.isFirst}
      hasDates={props.isLast}
    />
  );
}

function lineOf(read: Read, device: string, channels: readonly string[]): Line {
  const index = channels.indexOf(read.metric);
  const isOwn = read.device === device;
  const colour: Colour = isOwn ? seriesColour(index) : seriesColour(index + channels.length + 1);
  const name = isOwn ? read.metric : `${read.device} ${read.metric}`;
  const label = read.earlierMs ? t("device.earlier_line", { name, days: read.earlierMs / DAY_MS }) : name;
  return {
    key: read.key,
    label,
    unit: read.unit,
    trace: read.trace,
    colour: read.earlierMs ? "equipment" : colour,
    isDashed: Boolean(read.earlierMs) || !isOwn,
  };
}

function limitsIn(facts: Facts | null, read: Read): Limit[] {
  return limitLines(limitsOf(facts, read.metric), read.unit, (one) => t(`device.${one}`));
}

function usualIn(device: string, read: Read): Band[] {
  const usual = surveyed(device, read.metric)?.usual;
  return usual ? [flatBand(t("device.usual"), read.unit, usual.low, usual.high)] : [];
}
