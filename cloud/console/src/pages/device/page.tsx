/** The page of one device: how it is, why, and what to do about it. */
import { useComputed } from "@preact/signals";
import { Failed, Loading, PageHead } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { Link, query } from "../../router";
import { type Device, devices } from "../../stores/devices";
import { may } from "../../stores/session";
import { t } from "../../text";
import { Actions, Dialogs } from "./actions";
import { Advice } from "./advice";
import { AlarmList } from "./alarm-list";
import { Channels } from "./channels";
import { Head } from "./head";
import { EdgeModels, FactsPanel, LastMessage } from "./machine";
import { alarmOf } from "./marked";
import { Explanation, HealthPanel } from "./panels";
import { showChannels, useDeviceState } from "./state";
import { TrendPart } from "./trend-part";
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

function Shown({ device }: { device: Device }) {
  const state = useDeviceState(device);
  const { alarms, channels, range, asking, facts, since, acts, reload } = state;
  const editLimits = (channel: string) => {
    asking.value = { what: "limits", channel };
  };
  return (
    <>
      <Head device={device} since={since}>
        <Actions device={device} channels={channels} range={range} asking={asking} />
      </Head>
      <div class="device-columns">
        <div class="stack">
          <TrendPart
            {...{ device, channels, range, alarms, facts, acts, asking, reload }}
            marks={state.marks}
            labels={state.labels}
          />
          <Channels
            {...{ device, since, facts }}
            channels={state.all}
            shown={channels}
            show={showChannels}
            editLimits={may("devices:write") ? editLimits : undefined}
          />
          <AlarmList alarms={alarms} device={device.device_id} chosen={alarmOf(query.value.get("mark"))} acts={acts} />
        </div>
        <div class="stack">
          <Advice asked={state.advice} />
          <Explanation alarm={alarms.find((one) => one.shares.length > 1)} show={acts.show} />
          <HealthPanel health={state.health} failure={state.failure} knownMs={state.knownMs} />
          <EdgeModels device={device} gateway={state.gateway} />
          <LastMessage device={device} since={since} />
          <FactsPanel device={device} facts={facts} />
        </div>
      </div>
      <Dialogs device={device.device_id} asking={asking} alarms={alarms} facts={facts} done={reload} />
    </>
  );
}
