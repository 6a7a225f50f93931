/** Lanes above a chart: marked periods and flags as things of their own, to look at, to choose, to reach by keys. */
import type { Signal } from "@preact/signals";
import { Shape } from "../parts/marks";
import { t } from "../text";
import { at, length } from "../time/zone";
import { clusters, type Flag, type Period, rows } from "./marks";
import type { Area } from "./plot";

const ROW = 16;

export function PeriodLane(props: {
  periods: readonly Period[];
  area: Signal<Area | null>;
  chosen: string | null;
  choose?: (id: string | null) => void;
}) {
  const area = props.area.value;
  if (!area) return <div class="period-lane" style={{ height: `${ROW}px` }} />;
  const placed = rows(props.periods, area, area.width);
  const count = Math.max(1, ...placed.map((one) => one.row + 1));
  return (
    <div
      class="period-lane"
      style={{ height: `${count * ROW}px`, marginLeft: `${area.left}px`, width: `${area.width}px` }}
    >
      {placed.map(({ item, left, width, row }) => (
        <button
          key={item.id}
          type="button"
          class={`period ${item.kind} ${item.tone}`}
          style={{ left: `${left}px`, width: `${width}px`, top: `${row * ROW}px` }}
          aria-pressed={item.id === props.chosen}
          aria-label={told(item)}
          title={told(item)}
          onClick={() => props.choose?.(item.id === props.chosen ? null : item.id)}
        >
          {width > 60 ? <span class="clip">{item.label}</span> : null}
        </button>
      ))}
    </div>
  );
}

/** A period in words: what, from when, how long. */
export function told(one: Period): string {
  return `${one.label} · ${at(one.from, "seconds")} · ${length((one.to - one.from) / 1000)}`;
}

export function FlagLane(props: {
  flags: readonly Flag[];
  area: Signal<Area | null>;
  choose?: (id: string | null) => void;
}) {
  const area = props.area.value;
  if (!area) return <div class="flag-lane" />;
  return (
    <div class="flag-lane" style={{ marginLeft: `${area.left}px`, width: `${area.width}px` }}>
      {clusters(props.flags, area, area.width).map(({ left, flags }) => {
        const [worst] = flags;
        if (!worst) return null;
        const text = flags.map((one) => `${at(one.at, "seconds")} ${one.label}`).join("\n");
        return (
          <button
            key={worst.id}
            type="button"
            class={`flag ${worst.tone}`}
            style={{ left: `${left}px` }}
            title={text}
            aria-label={flags.length > 1 ? `${t("device.chart_flags", { n: flags.length })}: ${text}` : text}
            onClick={() => props.choose?.(worst.id)}
          >
            <Shape of={worst.tone} />
            {flags.length > 1 && <span>{flags.length}</span>}
          </button>
        );
      })}
    </div>
  );
}
