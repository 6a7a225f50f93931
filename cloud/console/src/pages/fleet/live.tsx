/** What a device says now: its main value against what is usual, its health, how old its newest reading is. */
import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Bar } from "../../parts/bar";
import { Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { type Device, newestOf, watchShown } from "../../stores/devices";
import { heardOf, isSilent, useSince } from "../../stores/silence";
import { toneOf, type Usual, usually, wantUsual } from "../../stores/usual";
import { t, word } from "../../text";
import { at, length, now } from "../../time/zone";
import { BAD_HEALTH, GOOD_HEALTH } from "./judge";

/** So long something must be in view before it is asked what is usual for it. */
const SETTLED_MS = 400;

/** Follow a device while this is drawn. */
export function useLive(device: string, channel: string): Signal<Usual | null> {
  useEffect(() => watchShown(device), [device]);
  useEffect(() => {
    let end = () => {};
    const timer = setTimeout(() => {
      end = wantUsual(device, channel);
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [device, channel]);
  return usually(device, channel);
}

/** The newest value that is a number: live, else the last one that was read. */
function newestValue(device: string, channel: string, usual: Usual | null): number | null {
  const told = newestOf(device).value?.values[channel];
  return typeof told === "number" ? told : (usual?.last ?? null);
}

export function MainValue({ device, channel }: { device: Device; channel: string }) {
  const usual = usually(device.device_id, channel).value;
  const value = newestValue(device.device_id, channel, usual);
  return (
    <span class="main-value">
      <b>{number(value, "", 4)}</b>
      {usual?.unit && <span class="unit">{usual.unit}</span>}
    </span>
  );
}

export function MainBar({ device, channel }: { device: Device; channel: string }) {
  const usual = usually(device.device_id, channel).value;
  const value = newestValue(device.device_id, channel, usual);
  if (!usual?.range) return <div class="bar-place" />;
  const told = number(value, usual.unit);
  const { normal } = usual;
  const label = normal
    ? t("fleet.value_bar", { channel, value: told, low: number(normal.low), high: number(normal.high, usual.unit) })
    : t("fleet.value_bar_plain", { channel, value: told });
  const tone = value === null ? "normal" : toneOf(value, usual);
  return <Bar value={value} range={usual.range} normal={normal} limits={usual.limits} tone={tone} label={label} />;
}

export function HealthBar({ score }: { score: number | null | undefined }) {
  const value = score ?? null;
  const tone = value === null || value >= GOOD_HEALTH ? "normal" : value < BAD_HEALTH ? "critical" : "warning";
  const label =
    value === null
      ? t("fleet.health_none")
      : t("fleet.health_bar", { score: percent(value), good: percent(GOOD_HEALTH) });
  return (
    <Bar
      value={value}
      range={{ low: 0, high: 1 }}
      normal={{ low: GOOD_HEALTH, high: 1 }}
      limits={[BAD_HEALTH, GOOD_HEALTH]}
      tone={tone}
      label={label}
    />
  );
}

/** How old the newest reading is, where it is not of this moment. */
export function Newest({ device }: { device: Device }) {
  const told = newestOf(device.device_id).value?.at ?? device.timestamp;
  return (
    <time dateTime={told ?? undefined} title={at(told, "full")}>
      {told ? at(told, "seconds") : "–"}
    </time>
  );
}

/** How a device is, by shape and word; of one that says nothing nobody knows. */
export function useStatus(device: Device): { shape: Device["status"]; text: string } {
  const since = useSince(device.device_id);
  if (device.status === "offline" || !isSilent(device, since))
    return { shape: device.status, text: word(device.status) };
  const heard = heardOf(device);
  const seconds = Math.round((now.value - heard) / 1000);
  return { shape: "offline", text: t("fleet.silent_for", { time: length(seconds) }) };
}

export function StatusMark({ device }: { device: Device }) {
  const { shape, text } = useStatus(device);
  return <Mark of={shape}>{text}</Mark>;
}
