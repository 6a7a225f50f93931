/** What a chart's lines are, with their values under the crosshair, else the newest ones. */
import type { Signal } from "@preact/signals";
import { number } from "../parts/number";
import { at } from "../time/zone";
import { told } from "./lanes";
import { type Band, lasting, type Period } from "./marks";
import { seriesColour } from "./palette";
import type { Area, Hover, Line } from "./plot";
import { nearest } from "./trace";

interface LegendProps {
  lines: readonly Line[];
  bands: readonly Band[];
  periods: readonly Period[];
  hover: Signal<Hover | null>;
  area: Signal<Area | null>;
}

/** How far from the crosshair a reading may be, as a share of the plot's width. */
const REACH = 0.015;

export function Legend({ lines, bands, periods, hover, area }: LegendProps) {
  const here = hover.value;
  const seen = area.value;
  const reachMs = seen ? (seen.to - seen.from) * REACH : 0;
  const within = here ? lasting(periods, here.at) : [];
  return (
    <div class="chart-legend">
      <ul>
        {lines.map((line, index) => (
          <li key={line.key}>
            <Swatch colour={line.colour ?? seriesColour(index)} isDashed={line.isDashed ?? false} />
            <span>{line.label}</span>
            <Value line={line} at={here?.at ?? null} reachMs={reachMs} />
          </li>
        ))}
        {bands.map((band) => (
          <li key={band.label} class="quiet">
            <svg width="14" height="10" aria-hidden="true">
              <rect class="band-swatch" width="14" height="10" rx="1" />
            </svg>
            <span>{band.label}</span>
          </li>
        ))}
      </ul>
      <span class="chart-time">
        {here && at(here.at, "full")}
        {within.map((one) => (
          <span key={one.id}>{told(one)}</span>
        ))}
      </span>
    </div>
  );
}

function Swatch({ colour, isDashed }: { colour: string; isDashed: boolean }) {
  return (
    <svg width="14" height="10" aria-hidden="true">
      <line
        x1="0"
        x2="14"
        y1="5"
        y2="5"
        stroke-width="2.5"
        class={`stroke-${colour}`}
        stroke-dasharray={isDashed ? "4 3" : undefined}
      />
    </svg>
  );
}

function Value({ line, at: moment, reachMs }: { line: Line; at: number | null; reachMs: number }) {
  void line.trace.changed.value;
  const value = moment === null ? line.trace.last?.value : nearest(line.trace, moment, reachMs);
  return <b>{number(value ?? null, line.unit)}</b>;
}
