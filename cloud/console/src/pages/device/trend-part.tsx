/** The trend with what can be done on it: label a time, look at what is marked. */
import { type Signal, useSignal } from "@preact/signals";
import { api } from "../../api/client";
import type { RangeControl } from "../../chart/picker";
import type { Stretch } from "../../chart/trace";
import { query, setQuery } from "../../router";
import { act } from "../../stores/act";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import { may } from "../../stores/session";
import { t } from "../../text";
import type { Asking } from "./actions";
import type { AlarmActs } from "./alarm-list";
import { Chosen } from "./chosen";
import type { Facts } from "./data";
import { alarmOf, type Label } from "./marked";
import type { Marks } from "./state";
import { Trend } from "./trend";

interface TrendPartProps {
  device: Device;
  channels: readonly string[];
  range: RangeControl;
  marks: Marks;
  alarms: readonly Alarm[];
  labels: readonly Label[];
  facts: Facts | null;
  acts: AlarmActs;
  asking: Signal<Asking | null>;
  reload: () => void;
}

export function TrendPart(props: TrendPartProps) {
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
