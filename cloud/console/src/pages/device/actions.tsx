/** What can be done with a device, each only for who may, and the dialogs that ask for what it takes. */
import type { Signal } from "@preact/signals";
import type { RangeControl } from "../../chart/picker";
import type { Stretch } from "../../chart/trace";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import { may } from "../../stores/session";
import { t } from "../../text";
import { type Facts, limitsOf } from "./data";
import { BaselineDialog, LabelDialog, MaintenanceDialog, ShelveDialog } from "./dialogs";
import { exportCsv } from "./export";
import { LimitsDialog } from "./limits";
import { isActive } from "./marked";
import { surveyed } from "./survey";

/** What a dialog is asking for. */
export type Asking =
  | { what: "label"; alarm: Alarm | null; stretch: Stretch }
  | { what: "shelve"; alarm: Alarm }
  | { what: "limits"; channel: string }
  | { what: "maintenance" }
  | { what: "baseline" };

interface ActionsProps {
  device: Device;
  channels: readonly string[];
  range: RangeControl;
  asking: { value: Asking | null };
}

export function Actions({ device, channels, range, asking }: ActionsProps) {
  const ask = (what: "maintenance" | "baseline") => () => {
    asking.value = { what };
  };
  const take = () => {
    const { from, to } = range.value;
    void exportCsv({ device: device.device_id, channels, from, to });
  };
  return (
    <>
      {may("devices:write") && (
        <button type="button" class="button" title={t("device.baseline_hint")} onClick={ask("baseline")}>
          {t("device.baseline")}
        </button>
      )}
      {may("reports:generate") && (
        <button type="button" class="button" disabled={!channels.length} title={t("device.export_hint")} onClick={take}>
          {t("device.export")}
        </button>
      )}
      {may("tasks:update") && (
        <button type="button" class="button main-action" onClick={ask("maintenance")}>
          {t("device.maintenance")}
        </button>
      )}
    </>
  );
}

interface DialogsProps {
  device: string;
  asking: Signal<Asking | null>;
  alarms: readonly Alarm[];
  facts: Facts | null;
  done: () => void;
}

export function Dialogs({ device, asking, alarms, facts, done }: DialogsProps) {
  const shown = asking.value;
  const close = () => {
    asking.value = null;
  };
  const base = { device, close, done };
  switch (shown?.what) {
    case "label":
      return <LabelDialog {...base} stretch={shown.stretch} alarm={shown.alarm} />;
    case "shelve":
      return <ShelveDialog {...base} alarm={shown.alarm} />;
    case "maintenance":
      return <MaintenanceDialog {...base} alarms={alarms.filter(isActive)} />;
    case "baseline":
      return <BaselineDialog {...base} />;
    case "limits":
      return (
        <LimitsDialog
          {...base}
          channel={shown.channel}
          unit={surveyed(device, shown.channel)?.unit ?? ""}
          limits={limitsOf(facts, shown.channel)}
        />
      );
    default:
      return null;
  }
}
