/** What an alarm says in the language of the console: the server's message, or a sentence made of the alarm's fields. */
import { number, percent } from "../parts/number";
import type { Alarm } from "../stores/alarms";
import { fill, language, word } from "../text";
import { alarmTypes, alarmWords as words } from "../text/alarm-words";
import { at, zone } from "../time/zone";

type Facts = Pick<
  Alarm,
  "type" | "message" | "device_id" | "channel" | "shares" | "score" | "value" | "limit" | "onset_at" | "occurrences"
>;

const SHOWN_SHARES = 3;

/** Types of which the fields tell only whom it is about, while the message says more, such as a reason. */
const UNTOLD = [
  "device_lost",
  "model_off",
  "model_replaced",
  "model_refused",
  "model_rolled_back",
  "model_lost",
  "models_not_on_disk",
  "clock_stepped",
  "buffer_damaged",
  "store_went_back",
];
/** Types whose message holds more than the fields do: German tells the main thing only. */
const SHORTER = new Set([...UNTOLD, "health", "readings_lost", "readings_refused", "readings_dropped", "account_gap"]);
/** Types whose name is the whole of what their fields tell: who it is about. */
const PLAIN = new Set<string>([...UNTOLD, "identity_cloned", "identity_conflict", "gateway_offline"]);

/** Tables sort and filter thousands of alarms by what they say; an alarm that changes is another object. */
const kept = new WeakMap<Facts, { zone: string; text: string }>();

/** Return what an alarm says: in English, and where its fields make no sentence, the server's message as it is. */
export function alarmSays(alarm: Facts): string {
  if (language.value === "en") return alarm.message;
  const known = kept.get(alarm);
  if (known?.zone === zone.value) return known.text;
  const text = (alarm.device_id || alarm.type === "dead_letters" ? composed(alarm) : "") || alarm.message;
  kept.set(alarm, { zone: zone.value, text });
  return text;
}

/** Return the server's own words where `alarmSays` tells less than they do, else "". */
export function serverSays(alarm: Facts): string {
  return SHORTER.has(alarm.type) && alarmSays(alarm) !== alarm.message ? alarm.message : "";
}

/** Return how a type of alarms is called. */
export function typeSays(type: string): string {
  const name = language.value === "de" && Object.hasOwn(alarmTypes, type) ? alarmTypes[type] : undefined;
  return name ?? word(type);
}

/** Return the German sentence, "" where a field that it needs is not known. */
function composed(alarm: Facts): string {
  const { type, device_id: device, channel, value } = alarm;
  if (PLAIN.has(type)) return fill(words[type as "device_lost"], { device });
  const count = typeof value === "number" && Number.isFinite(value) ? value : null;
  switch (type) {
    case "anomaly":
      return anomaly(alarm);
    case "frozen":
    case "range":
    case "rate":
      return channel ? broken(alarm, fill(words[type], { device, channel })) : "";
    case "silence":
      return silence(alarm);
    case "health":
      return count === null ? "" : fill(words.health, { device, score: percent(count) });
    case "readings_lost":
    case "readings_refused":
      return count === null ? fill(words[type], { device }) : fill(words[`${type}_n`], { device, n: number(count) });
    case "readings_dropped":
    case "account_gap":
      return count === null ? "" : fill(words[type], { device, n: number(count) });
    case "dead_letters":
      return count === null ? "" : fill(words.dead_letters, { n: count === 1 ? 1 : number(count) });
    default:
      return "";
  }
}

/** The live feed tells a new score before the channels that explain it are read: they would not belong together. */
function anomaly({ device_id: device, channel, score, value, shares }: Facts): string {
  if (!channel || typeof score !== "number" || score !== value) return "";
  const parts = (shares ?? []).slice(0, SHOWN_SHARES).map((one) => `${percent(one.share)} ${one.channel}`);
  const facts = [fill(words.anomaly_score, { score: number(score, "", 2) }), ...parts].join(", ");
  return fill(words.anomaly, { channel, device, facts });
}

/** A rule of a gateway tells the broken limit as text; it is of this message only if the message ends with it. */
function broken({ limit, message }: Facts, sentence: string): string {
  if (typeof limit !== "string" || !message.endsWith(limit)) return "";
  return limit ? `${sentence}: ${limit}` : sentence;
}

/** The onset is that of the first occurrence: for a later one the fields do not say since when. */
function silence({ device_id: device, channel, onset_at: onset, occurrences }: Facts): string {
  if (!onset || occurrences !== 1) return "";
  return fill(channel ? words.silence_channel : words.silence, { device, channel, time: at(onset, "full") });
}
