/** The channels of a device: newest values as bars against what is usual and allowed, to choose for the trend. */
import { Bar } from "../../parts/bar";
import { Mark } from "../../parts/marks";
import { number } from "../../parts/number";
import { Panel } from "../../parts/panel";
import { type Device, newestOf } from "../../stores/devices";
import { isSilent } from "../../stores/silence";
import { t, word } from "../../text";
import { ago } from "../../time/zone";
import { barRange, judge } from "./channel";
import { type Facts, limitsOf } from "./data";
import { type Surveyed, surveyed } from "./survey";

interface ChannelsProps {
  device: Device;
  channels: readonly string[];
  shown: readonly string[];
  show: (channels: readonly string[]) => void;
  facts: Facts | null;
  /** When the page began to listen to it. */
  since: number;
  /** Undefined where limits may not be changed. */
  editLimits?: (channel: string) => void;
}

export function Channels(props: ChannelsProps) {
  const isOld = isSilent(props.device, props.since);
  return (
    <Panel title={t("device.channels")} class="channels">
      <ul class="device-channel-list">
        {props.channels.map((one) => (
          <ChannelRow key={one} {...props} channel={one} isOld={isOld} />
        ))}
      </ul>
      <p class="quiet">{t("device.bar_hint")}</p>
    </Panel>
  );
}

interface Seen {
  value: number | null;
  text: string;
  quality: string;
}

/** The newest reading of a channel: from the feed, else the newest that is stored. */
function newestReading(device: string, channel: string, known: Surveyed | undefined): Seen {
  const newest = newestOf(device).value;
  if (!newest || !(channel in newest.values)) {
    const value = known?.last?.value ?? null;
    return { value, text: number(value, "", 5), quality: "" };
  }
  const told = newest.values[channel];
  const value = typeof told === "number" ? told : typeof told === "boolean" ? Number(told) : null;
  const quality = newest.quality[channel] ?? "";
  return { value, text: number(told, "", 5), quality: quality === "good" ? "" : quality };
}

function ChannelRow(props: ChannelsProps & { channel: string; isOld: boolean }) {
  const { channel, device, shown } = props;
  const known = surveyed(device.device_id, channel);
  const limits = limitsOf(props.facts, channel);
  const seen = newestReading(device.device_id, channel, known);
  const tone = props.isOld ? "normal" : judge(seen.value, limits);
  const usual = known?.usual ?? null;
  const range = barRange(seen.value, usual, limits);
  const isShown = shown.includes(channel);
  const lines = [limits?.low_crit, limits?.low_warn, limits?.high_warn, limits?.high_crit];
  const unit = known?.unit ?? "";
  return (
    <li class={props.isOld || seen.quality ? "old" : ""}>
      <input
        type="checkbox"
        aria-label={t("device.show_channel", { channel })}
        checked={isShown}
        onChange={() => props.show(isShown ? shown.filter((one) => one !== channel) : [...shown, channel])}
      />
      <button type="button" class="device-channel-name clip" title={channel} onClick={() => props.show([channel])}>
        {channel}
      </button>
      <Bar
        value={usual || limits ? seen.value : null}
        range={range}
        normal={usual}
        limits={lines.filter((one): one is number => typeof one === "number")}
        tone={tone}
        label={barText(channel, seen.text, unit, usual)}
      />
      <b class="number">{seen.text}</b>
      <span class="quiet unit">{unit}</span>
      <span class="channel-state">
        {props.isOld ? (
          <span class="quiet">{known?.last ? ago(known.last.at) : t("device.stale")}</span>
        ) : seen.quality ? (
          <Mark of="warning">{word(seen.quality)}</Mark>
        ) : tone !== "normal" ? (
          <Mark of={tone}>{t("device.beyond_limit")}</Mark>
        ) : null}
      </span>
      {props.editLimits && (
        <button
          type="button"
          class="button plain icon"
          aria-label={t("device.edit_limits", { channel })}
          title={t("device.edit_limits", { channel })}
          onClick={() => props.editLimits?.(channel)}
        >
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <path d="M1 3h12M1 11h12" stroke="currentColor" stroke-width="1.5" stroke-dasharray="3 2" />
            <path d="M1 8.5 5 6l3 2 5-3" fill="none" stroke="currentColor" stroke-width="1.3" />
          </svg>
        </button>
      )}
    </li>
  );
}

function barText(channel: string, value: string, unit: string, usual: { low: number; high: number } | null): string {
  const here = `${channel}: ${value} ${unit}`.trim();
  if (!usual) return here;
  return t("device.bar_text", { here, low: number(usual.low), high: number(usual.high, unit) });
}
