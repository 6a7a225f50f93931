/** Alarms of the device: what is there now and what was, to look at on the trend, acknowledge, shelve and label. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Mark } from "../../parts/marks";
import { Panel } from "../../parts/panel";
import { Link } from "../../router";
import { alarmSays, serverSays, typeSays } from "../../says/alarm";
import { act } from "../../stores/act";
import { type Alarm, isHidden, isOver, isUnacknowledged, take } from "../../stores/alarms";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { at, length, now } from "../../time/zone";
import { isActive, stretchOf } from "./marked";

const FIRST = 6;

export interface AlarmActs {
  /** Show its time on the trend. */
  show: (alarm: Alarm) => void;
  label: (alarm: Alarm) => void;
  shelve: (alarm: Alarm) => void;
  reload: () => Promise<void>;
}

interface AlarmListProps {
  alarms: readonly Alarm[];
  device: string;
  /** The alarm that stands out on the trend. */
  chosen: string;
  acts: AlarmActs;
}

export function AlarmList({ alarms, device, chosen, acts }: AlarmListProps) {
  const isAll = useSignal(false);
  const shown = isAll.value ? alarms : alarms.slice(0, FIRST);
  return (
    <Panel
      title={t("device.alarms")}
      tools={<Link to={`/alarms?active.filter=${encodeURIComponent(device)}`}>{t("device.to_alarms")}</Link>}
    >
      {alarms.length === 0 ? (
        <p class="quiet">{t("device.no_alarms")}</p>
      ) : (
        <ul class="device-alarm-list">
          {shown.map((one) => (
            <Row key={one.id} alarm={one} isChosen={chosen === one.id} acts={acts} />
          ))}
        </ul>
      )}
      {alarms.length > FIRST && (
        <button
          type="button"
          class="button plain"
          onClick={() => {
            isAll.value = !isAll.value;
          }}
        >
          {isAll.value ? t("device.fewer") : t("device.all_alarms", { n: alarms.length })}
        </button>
      )}
    </Panel>
  );
}

function Row({ alarm, isChosen, acts }: { alarm: Alarm; isChosen: boolean; acts: AlarmActs }) {
  const stretch = stretchOf(alarm, now.value);
  return (
    <li class={isChosen ? "chosen" : ""}>
      <Mark of={alarm.severity} muted={!isActive(alarm) || isHidden(alarm)}>
        {typeSays(alarm.type)}
      </Mark>
      <button
        type="button"
        class="device-alarm-text"
        title={serverSays(alarm) || undefined}
        onClick={() => acts.show(alarm)}
      >
        {alarmSays(alarm)}
      </button>
      <span class="quiet device-alarm-when">
        {at(stretch.from, "short")} · {length((stretch.to - stretch.from) / 1000)} · {word(alarm.state)}
        {alarm.occurrences > 1 && ` · ${t("device.times", { n: alarm.occurrences })}`}
        {alarm.label ? ` · ${word(alarm.label)}` : ""}
      </span>
      <AlarmActions alarm={alarm} acts={acts} />
    </li>
  );
}

/** What may be done with an alarm as it is, by who is here. */
export function AlarmActions({ alarm, acts }: { alarm: Alarm; acts: AlarmActs }) {
  if (!may("alarms:write")) return null;
  return (
    <span class="row device-alarm-actions">
      {isUnacknowledged(alarm) && (
        <button type="button" class="button" onClick={() => void acknowledge(alarm, acts)}>
          {t("device.acknowledge")}
        </button>
      )}
      {!isHidden(alarm) && !isOver(alarm) && (
        <button type="button" class="button plain" onClick={() => acts.shelve(alarm)}>
          {t("device.shelve")}
        </button>
      )}
      <button type="button" class="button plain" onClick={() => acts.label(alarm)}>
        {t("device.label")}
      </button>
    </span>
  );
}

async function acknowledge(alarm: Alarm, acts: AlarmActs): Promise<void> {
  const where = { alert_id: alarm.id };
  await act(
    async () => {
      const { data } = await api.post("/api/v1/alerts/{alert_id}/acknowledge", { at: where, body: {} });
      take(data as Alarm);
    },
    {
      done: t("device.acknowledged"),
      wasDone: async () => (await api.get("/api/v1/alerts/{alert_id}", { at: where })).data.acknowledged,
    },
  );
  await acts.reload();
}
