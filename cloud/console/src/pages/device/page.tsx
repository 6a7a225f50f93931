/** The page of one device: how it is, why, and what to do about it. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { type RangeControl, useRange } from "../../chart/picker";
import type { Stretch } from "../../chart/trace";
import { useShortcuts } from "../../keys";
import { Failed, Loading, PageHead } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import { act } from "../../stores/act";
import type { Alarm } from "../../stores/alarms";
import { type Device, devices } from "../../stores/devices";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { now } from "../../time/zone";
import { Actions, type Asking, Dialogs } from "./actions";
import { Advice } from "./advice";
import { AlarmList } from "./alarm-list";
import { channelsOf, silentAfterMs } from "./channel";
import { Channels } from "./channels";
import { around, Chosen } from "./chosen";
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
import { gatewayOf, Head } from "./head";
import { EdgeModels, FactsPanel, LastMessage } from "./machine";
import {
  alarmOf,
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
import { Explanation, HealthPanel } from "./panels";
import { knownFor, useSurvey } from "./survey";
import { Trend } from "./trend";
import "../../style/device.css";

export function DevicePage({ at }: { at: Record<string, string> }) {
  const id = at.id ?? "";
  useKept(devices, 30);
  const found = useComputed(() => devices.get(id));
  const device = found.value;
  if (device) return <Shown device={device} />;
  if (devices.state.value === "failed") return <Failed error={devices.error.value} retry={() => void devices.load()} />;
  if (devices.state.value !== "ready") return <Loading />;
  return (
    <>
      <PageHead title={id} />
      <div class="panel empty">
        <p>{t("device.unknown", { id })}</p>
        <Link to="/">{t("common.to_fleet")}</Link>
      </div>
    </>
  );
}

const NO_LABELS: readonly Label[] = [];
const NO_ALARMS: readonly Alarm[] = [];
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

const showChannels = (channels: readonly string[]) =>
  setQuery({ channels: channels.map(encodeURIComponent).join(",") });

function useMarks(
  device: Device,
  alarms: readonly Alarm[],
  labels: readonly Label[],
  histories: Histories | null,
  channels: readonly string[],
) {
  const events = useEvents(device.device_id, gatewayOf(device), device.location).data;
  // An active period grows; ten seconds are near enough to what a plot can show of it.
  const moment = alarms.some(isActive) ? Math.ceil(now.value / 10_000) * 10_000 : 0;
  return useMemo(() => {
    const planned = eventMarks(events ?? []);
    return {
      periods: [
        ...periodsOf(alarms, labels, moment || Date.now(), word, histories ?? undefined, channels),
        ...planned.periods,
      ],
      flags: [...flagsOf(alarms, word), ...planned.flags],
    };
  }, [alarms, labels, events, moment, histories, channels.join()]);
}

function Shown({ device }: { device: Device }) {
  const id = device.device_id;
  useEffect(() => link.watch([id], 1), [id]);
  const range = useRange("15m");
  const alarms = useAlarms(id);
  const labels = useLabels(id);
  const facts = useFacts(id);
  const health = useHealth(id);
  const advice = useRecommendations(id);
  const gateway = useGateway(gatewayOf(device));
  const asking = useSignal<Asking | null>(null);
  const all = channelsOf(device);
  const known = may("alarms:read") ? (alarms.data ?? (alarms.error ? NO_ALARMS : null)) : NO_ALARMS;
  const channels = useChannels(all, known);
  const dayMs = knownFor(id, all);
  const failure = useFailure(id, dayMs >= DAY_MS);
  const histories = useHistories(known);
  useSurvey(
    id,
    all,
    useMemo(
      () => (known && histories ? known.flatMap((one) => windowsOf(one, histories.get(one.id), Date.now())) : null),
      [histories === null],
    ),
  );
  const list = known ?? NO_ALARMS;
  const marks = useMarks(device, list, labels.data ?? NO_LABELS, histories, channels);
  const afterMs = silentAfterMs(facts.data?.rated_interval_s);
  const show = (alarm: Alarm) => {
    const windows = windowsOf(alarm, histories?.get(alarm.id), Date.now());
    setQuery({ mark: alarmPeriod(alarm.id, windows.length - 1) });
    if (all.includes(alarm.channel) && !channels.includes(alarm.channel)) showChannels([alarm.channel]);
    range.set(around(windows.at(-1) ?? stretchOf(alarm, Date.now())));
  };
  const acts = {
    show,
    label: (alarm: Alarm) => {
      asking.value = { what: "label", alarm, stretch: stretchOf(alarm, Date.now()) };
    },
    shelve: (alarm: Alarm) => {
      asking.value = { what: "shelve", alarm };
    },
    reload: alarms.reload,
  };
  const reload = () => {
    asking.value = null;
    for (const one of [alarms, labels, facts]) void one.reload();
  };
  useShortcuts([
    { keys: "l", text: t("device.key_live"), act: range.live },
    { keys: "[", text: t("device.range_back"), act: () => range.pan(-0.5) },
    { keys: "]", text: t("device.range_forward"), act: () => range.pan(0.5) },
    ...(may("tasks:update")
      ? [
          {
            keys: "m",
            text: t("device.maintenance"),
            act: () => {
              asking.value = { what: "maintenance" };
            },
          },
        ]
      : []),
  ]);
  return (
    <>
      <Head device={device} afterMs={afterMs}>
        <Actions device={device} channels={channels} range={range} asking={asking} />
      </Head>
      <div class="device-columns">
        <div class="stack">
          <TrendPart
            {...{ device, channels, range, marks, acts, asking }}
            alarms={list}
            labels={labels.data ?? []}
            facts={facts.data}
            reload={reload}
          />
          <Channels
            {...{ device, afterMs }}
            channels={all}
            shown={channels}
            show={showChannels}
            facts={facts.data}
            editLimits={
              may("devices:write")
                ? (channel) => {
                    asking.value = { what: "limits", channel };
                  }
                : undefined
            }
          />
          <AlarmList alarms={list} device={id} chosen={alarmOf(query.value.get("mark"))} acts={acts} />
        </div>
        <div class="stack">
          <Advice asked={advice} />
          <Explanation alarm={list.find((one) => one.shares.length > 1)} show={show} />
          <HealthPanel health={health} failure={failure} knownMs={dayMs} />
          <EdgeModels device={device} gateway={gateway.data} />
          <LastMessage device={device} afterMs={afterMs} />
          <FactsPanel device={device} facts={facts.data} />
        </div>
      </div>
      <Dialogs device={id} asking={asking} alarms={list} facts={facts.data} done={reload} />
    </>
  );
}

interface TrendPartProps {
  device: Device;
  channels: readonly string[];
  range: RangeControl;
  marks: ReturnType<typeof useMarks>;
  alarms: readonly Alarm[];
  labels: readonly Label[];
  facts: Parameters<typeof Trend>[0]["facts"];
  acts: Parameters<typeof Chosen>[0]["acts"];
  asking: { value: Asking | null };
  reload: () => void;
}

function TrendPart(props: TrendPartProps) {
  const { device, marks, alarms, labels, asking } = props;
  const isSelecting = useSignal(false);
  const chosen = query.value.get("mark");
  const choose = (mark: string | null) => setQuery({ mark });
  const period = marks.periods.find((one) => one.id === chosen);
  const select = (stretch: Stretch) => {
    isSelecting.value = false;
    asking.value = { what: "label", alarm: null, stretch };
  };
  const forget = async (label: Label) => {
    await act(() => api.delete("/api/v1/labels/{label_id}", { at: { label_id: label.id } }), {
      done: t("device.label_forgotten"),
    });
    props.reload();
  };
  const canLabel = may("alarms:write");
  return (
    <>
      <Trend
        device={device.device_id}
        channels={props.channels}
        range={props.range}
        compared={{ earlier: query.value.get("earlier") ?? "", other: query.value.get("other") ?? "" }}
        facts={props.facts}
        periods={marks.periods}
        flags={marks.flags}
        chosen={chosen}
        choose={choose}
        select={canLabel ? select : undefined}
        isSelecting={isSelecting.value}
        tools={
          canLabel && (
            <button
              type="button"
              class="button"
              aria-pressed={isSelecting.value}
              title={t("device.mark_hint")}
              onClick={() => {
                isSelecting.value = !isSelecting.value;
              }}
            >
              {t(isSelecting.value ? "device.marking" : "device.mark_window")}
            </button>
          )
        }
      />
      {period && (
        <Chosen
          period={period}
          alarm={alarms.find((one) => one.id === alarmOf(chosen))}
          label={labels.find((one) => `label ${one.id}` === chosen)}
          acts={props.acts}
          zoom={props.range.set}
          forget={(label) => void forget(label)}
          close={() => choose(null)}
        />
      )}
    </>
  );
}
