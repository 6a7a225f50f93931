/** What the page of one device knows and can do, put together from what it asks the API for. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Flag, Period } from "../../chart/marks";
import { useRange } from "../../chart/picker";
import { type Shortcut, useShortcuts } from "../../keys";
import { query, setQuery } from "../../router";
import { typeSays } from "../../says/alarm";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { useSince } from "../../stores/silence";
import { language, t } from "../../text";
import { now } from "../../time/zone";
import type { Asking } from "./actions";
import type { AlarmActs } from "./alarm-list";
import { channelsOf } from "./channel";
import { around } from "./chosen";
import {
  useAlarms,
  useEvents,
  useFacts,
  useFailure,
  useGateway,
  useHealth,
  useHistories,
  useLabels,
  useRecommendations,
} from "./data";
import { gatewayOf } from "./head";
import {
  alarmPeriod,
  eventMarks,
  flagsOf,
  type Histories,
  isActive,
  type Label,
  periodsOf,
  stretchOf,
  windowsOf,
} from "./marked";
import { knownFor, useSurvey } from "./survey";

export interface Marks {
  periods: readonly Period[];
  flags: readonly Flag[];
}

const NO_LABELS: readonly Label[] = [];
const NO_ALARMS: readonly Alarm[] = [];
/** An active period grows in such steps. */
const STEP_MS = 10_000;
/** Less a few minutes: readings need not begin at the very minute. */
const DAY_MS = 86_400_000 - 600_000;

/** The channels in the query, else that of the worst alarm that is active, else the first one. */
function useChannels(all: readonly string[], alarms: readonly Alarm[] | null): readonly string[] {
  const asked = query.value.get("channels");
  const first = useMemo(() => {
    const told = alarms?.find((one) => isActive(one) && all.includes(one.channel))?.channel;
    return told ?? all[0] ?? "";
  }, [alarms === null, all.join("\n")]);
  if (asked === null) return first && alarms ? [first] : [];
  const wanted = asked.split(",").map(decodeURIComponent);
  return all.filter((one) => wanted.includes(one));
}

export const showChannels = (channels: readonly string[]) =>
  setQuery({ channels: channels.map(encodeURIComponent).join(",") });

/** What the trend marks; made anew only when something of it changes. */
function useMarks(
  device: Device,
  alarms: readonly Alarm[],
  labels: readonly Label[],
  histories: Histories | null,
  channels: readonly string[],
): Marks {
  const events = useEvents(device.device_id, gatewayOf(device), device.location).data;
  const isGrowing = useRef(false);
  isGrowing.current = alarms.some(isActive);
  const moment = useComputed(() => (isGrowing.current ? Math.ceil(now.value / STEP_MS) * STEP_MS : 0)).value;
  return useMemo(() => {
    const planned = eventMarks(events ?? []);
    return {
      periods: [
        ...periodsOf(alarms, labels, moment || Date.now(), typeSays, histories ?? undefined, channels),
        ...planned.periods,
      ],
      flags: [...flagsOf(alarms, typeSays), ...planned.flags],
    };
  }, [alarms, labels, events, moment, histories, channels.join(), language.value]);
}

/** Read what is usual of each channel, once it is known which times were not. */
function useUsual(
  device: string,
  all: readonly string[],
  alarms: readonly Alarm[] | null,
  told: Histories | null,
): void {
  const unusual = useMemo(
    () => (alarms && told ? alarms.flatMap((one) => windowsOf(one, told.get(one.id), Date.now())) : null),
    [alarms === null, told === null],
  );
  useSurvey(device, all, unusual);
}

/** All that the page of a device shows. */
export function useDeviceState(device: Device) {
  const id = device.device_id;
  useEffect(() => link.watch([id], 1), [id]);
  const range = useRange("15m");
  const asked = { alarms: useAlarms(id), labels: useLabels(id), facts: useFacts(id) };
  const asking = useSignal<Asking | null>(null);
  const all = channelsOf(device);
  const { data, error } = asked.alarms;
  const known = may("alarms:read") ? (data ?? (error ? NO_ALARMS : null)) : NO_ALARMS;
  const channels = useChannels(all, known);
  const histories = useHistories(known);
  useUsual(id, all, known, histories);
  const labels = asked.labels.data ?? NO_LABELS;
  const knownMs = knownFor(id, all);
  const show = (alarm: Alarm) => {
    const windows = windowsOf(alarm, histories?.get(alarm.id), Date.now());
    setQuery({ mark: alarmPeriod(alarm.id, windows.length - 1) });
    if (all.includes(alarm.channel) && !channels.includes(alarm.channel)) showChannels([alarm.channel]);
    range.set(around(windows.at(-1) ?? stretchOf(alarm, Date.now())));
  };
  useShortcuts(shortcutsOf(range, asking));
  return {
    range,
    asking,
    all,
    channels,
    labels,
    knownMs,
    alarms: known ?? NO_ALARMS,
    facts: asked.facts.data,
    marks: useMarks(device, known ?? NO_ALARMS, labels, histories, channels),
    health: useHealth(id),
    failure: useFailure(id, knownMs >= DAY_MS),
    advice: useRecommendations(id),
    gateway: useGateway(gatewayOf(device)).data,
    since: useSince(id),
    acts: actsOf(show, asking, asked.alarms.reload),
    reload: () => {
      asking.value = null;
      for (const one of Object.values(asked)) void one.reload();
    },
  };
}

function actsOf(show: AlarmActs["show"], asking: Signal<Asking | null>, reload: AlarmActs["reload"]): AlarmActs {
  return {
    show,
    reload,
    label: (alarm) => {
      asking.value = { what: "label", alarm, stretch: stretchOf(alarm, Date.now()) };
    },
    shelve: (alarm) => {
      asking.value = { what: "shelve", alarm };
    },
  };
}

function shortcutsOf(range: ReturnType<typeof useRange>, asking: Signal<Asking | null>): Shortcut[] {
  const offered: Shortcut[] = [
    { keys: "l", text: t("device.key_live"), act: range.live },
    { keys: "[", text: t("device.range_back"), act: () => range.pan(-0.5) },
    { keys: "]", text: t("device.range_forward"), act: () => range.pan(0.5) },
  ];
  const ask = () => {
    asking.value = { what: "maintenance" };
  };
  return may("tasks:update") ? [...offered, { keys: "m", text: t("device.maintenance"), act: ask }] : offered;
}
