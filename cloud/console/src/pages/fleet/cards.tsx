/** All devices as small cards; only those in view are drawn, live and asked about. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Shape } from "../../parts/marks";
import { percent } from "../../parts/number";
import { Link } from "../../router";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import { t } from "../../text";
import { mainChannel } from "./judge";
import { HealthBar, MainBar, MainValue, Newest, useLive, useStatus } from "./live";

const LEAST_WIDTH = 216;
const HEIGHT = 112;
const GAP = 8;
/** Rows drawn above and below the view. */
const BEYOND = 2;

export interface View {
  columns: number;
  first: number;
  last: number;
  height: number;
}

/** Return which cards are in view: the grid begins `top` px below the upper edge of a window `height` px high. */
export function cardsInView(count: number, width: number, top: number, height: number): View {
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const rows = Math.ceil(count / columns);
  const row = HEIGHT + GAP;
  const first = Math.max(0, Math.min(rows, Math.floor(-top / row) - BEYOND));
  const last = Math.max(first, Math.min(rows, Math.ceil((height - top) / row) + BEYOND));
  return { columns, first: first * columns, last: Math.min(count, last * columns), height: rows * row - GAP };
}

export function Cards({ devices, worst }: { devices: readonly Device[]; worst: ReadonlyMap<string, Alarm> }) {
  const box = useRef<HTMLUListElement>(null);
  const place = useSignal({ width: 900, top: 200, height: 800 });
  useEffect(() => {
    const look = () => {
      const found = box.current?.getBoundingClientRect();
      if (!found) return;
      const { width, top } = found;
      const before = place.value;
      const isSame = before.width === width && Math.abs(before.top - top) < 20 && before.height === innerHeight;
      if (!isSame) place.value = { width, top, height: innerHeight };
    };
    const measure = new ResizeObserver(look);
    measure.observe(document.body);
    if (box.current) measure.observe(box.current);
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      measure.disconnect();
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [place]);
  const { width, top, height } = place.value;
  const view = cardsInView(devices.length, width, top, height);
  const wide = (width - GAP * (view.columns - 1)) / view.columns;
  return (
    <ul class="cards" ref={box} style={{ height: `${Math.max(0, view.height)}px` }}>
      {devices.slice(view.first, view.last).map((device, index) => {
        const place = view.first + index;
        const x = (place % view.columns) * (wide + GAP);
        const y = Math.floor(place / view.columns) * (HEIGHT + GAP);
        const style = { transform: `translate(${x}px, ${y}px)`, width: `${wide}px`, height: `${HEIGHT}px` };
        return (
          <li key={device.device_id} style={style} aria-setsize={devices.length} aria-posinset={place + 1}>
            <Card device={device} alarm={worst.get(device.device_id)} />
          </li>
        );
      })}
    </ul>
  );
}

function Card({ device, alarm }: { device: Device; alarm: Alarm | undefined }) {
  const channel = mainChannel(device, alarm);
  useLive(device.device_id, channel);
  const { shape: status, text } = useStatus(device);
  const isAbnormal = status === "critical" || status === "warning";
  return (
    <Link class={`card ${status}`} to={`/devices/${encodeURIComponent(device.device_id)}`}>
      <span class="card-head">
        <span class={`mark ${isAbnormal ? status : "muted"}`}>
          <Shape of={status} />
        </span>
        <span class="name clip" title={device.device_id}>
          {device.device_name}
        </span>
        <span class={isAbnormal ? "status" : "status quiet"}>{text}</span>
      </span>
      <span class="card-line">
        <span class="clip quiet">{channel || t("fleet.no_channel")}</span>
        {channel && <MainValue device={device} channel={channel} />}
      </span>
      <MainBar device={device} channel={channel} />
      <span class="card-line">
        <span class="label quiet">{t("fleet.health")}</span>
        <HealthBar score={device.health_score} />
        <span class="score">{device.health_score == null ? "–" : percent(device.health_score)}</span>
      </span>
      <span class="card-line quiet foot">
        <span class="clip">{device.location}</span>
        <Newest device={device} />
      </span>
    </Link>
  );
}
