/** Dialogs of a device's page: label a time, shelve an alarm, ask for maintenance, begin anew after a repair. */

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { Stretch } from "../../chart/trace";
import { Tick } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { isTime, TimeInput } from "../../parts/time-input";
import { alarmSays, typeSays } from "../../says/alarm";
import { type Alarm, take } from "../../stores/alarms";
import { askForMaintenance } from "../../stores/decisions";
import { newKey } from "../../stores/once";
import { toast } from "../../stores/toasts";
import { t, word } from "../../text";
import { meant, typedFully } from "../../time/typed";

interface DialogProps {
  device: string;
  close: () => void;
  /** Called once it is done. */
  done: () => void;
}

/** Say of a time, or of an alarm, whether it was a fault: models learn from it. */
export function LabelDialog(props: DialogProps & { stretch: Stretch; alarm: Alarm | null }) {
  const { alarm, stretch, device } = props;
  const form = useForm(() => ({
    verdict: ["true_fault"],
    from: [typedFully(stretch.from), isTime],
    to: [typedFully(stretch.to), isTime],
    kind: ["", shorter(100)],
    note: ["", shorter(2000)],
  }));
  const send = async () => {
    const verdict = form.value("verdict") as "true_fault" | "false_alarm";
    const words = { verdict, kind: form.value("kind").trim(), note: form.value("note").trim() };
    const isDone = await form.submit(async () => {
      if (alarm) {
        const { data } = await api.post("/api/v1/alerts/{alert_id}/label", { at: { alert_id: alarm.id }, body: words });
        take(data as Alarm);
      } else {
        const time = (name: "from" | "to") => new Date(meant(form.value(name))).toISOString();
        await api.post("/api/v1/labels", { body: { ...words, device_id: device, from: time("from"), to: time("to") } });
      }
      toast("good", t("device.labelled"));
    });
    if (isDone) props.done();
  };
  return (
    <Dialog
      title={alarm ? t("device.label_alarm") : t("device.label_window")}
      close={props.close}
      submit={() => void send()}
      submitText={t("device.label")}
      isBusy={form.isBusy.value}
    >
      <Verdict value={form.fields.verdict.value.value} choose={(one) => (form.fields.verdict.value.value = one)} />
      {alarm ? (
        <p class="quiet">{alarmSays(alarm)}</p>
      ) : (
        <div class="device-two-fields">
          <TimeInput field={form.fields.from} label={t("common.from")} />
          <TimeInput field={form.fields.to} label={t("common.to")} />
        </div>
      )}
      <Input field={form.fields.kind} label={t("device.label_kind")} hint={t("device.label_kind_hint")} />
      <Input field={form.fields.note} label={t("device.note")} rows={2} />
      <FormIssue form={form} />
    </Dialog>
  );
}

function Verdict({ value, choose }: { value: string; choose: (verdict: string) => void }) {
  return (
    <fieldset class="device-verdict">
      <legend>{t("device.was_it_right")}</legend>
      {["true_fault", "false_alarm"].map((one) => (
        <label key={one} class="check">
          <input type="radio" name="verdict" checked={value === one} onChange={() => choose(one)} />
          {word(one)}
        </label>
      ))}
    </fieldset>
  );
}

const SHELVE_S = [900, 3600, 7200, 14_400, 28_800, 43_200];

/** Put an alarm out of sight for a while; always with an end. */
export function ShelveDialog(props: DialogProps & { alarm: Alarm }) {
  const isOneShot = useSignal(false);
  const form = useForm(() => ({ for_s: ["3600"], comment: ["", shorter(2000)] }));
  const send = async () => {
    const body = {
      for_s: Number(form.value("for_s")),
      comment: form.value("comment").trim(),
      one_shot: isOneShot.value,
    };
    const isDone = await form.submit(async () => {
      const { data } = await api.post("/api/v1/alerts/{alert_id}/shelve", { at: { alert_id: props.alarm.id }, body });
      take(data as Alarm);
      toast("good", t("device.shelved"));
    });
    if (isDone) props.done();
  };
  return (
    <Dialog
      title={t("device.shelve_alarm")}
      close={props.close}
      submit={() => void send()}
      submitText={t("device.shelve")}
      isBusy={form.isBusy.value}
    >
      <p class="quiet">{alarmSays(props.alarm)}</p>
      <Input
        field={form.fields.for_s}
        label={t("device.shelve_for")}
        options={SHELVE_S.map((one) => [String(one), one < 3600 ? `${one / 60} min` : `${one / 3600} h`] as const)}
      />
      <Tick
        label={t("device.one_shot")}
        isOn={isOneShot.value}
        change={(isOn) => {
          isOneShot.value = isOn;
        }}
      />
      <Input field={form.fields.comment} label={t("common.comment")} rows={2} />
      <FormIssue form={form} />
    </Dialog>
  );
}

/** Ask for maintenance: a request in the inbox that somebody approves. */
export function MaintenanceDialog(props: DialogProps & { alarms: readonly Alarm[] }) {
  const key = useMemo(newKey, []);
  const [worst] = props.alarms;
  const why = worst ? [typeSays(worst.type), worst.channel].filter(Boolean).join(" ") : "";
  const first = why
    ? t("device.maintenance_because", { device: props.device, why })
    : t("device.maintenance_of", { device: props.device });
  const form = useForm(() => ({
    title: [first.slice(0, 400), needed, shorter(400)],
    note: ["", shorter(2000)],
  }));
  const send = async () => {
    const isDone = await form.submit(async () => {
      await askForMaintenance(
        {
          kind: "maintenance",
          title: form.value("title").trim(),
          note: form.value("note").trim(),
          device_id: props.device,
          alarms: props.alarms.slice(0, 50).map((one) => one.id),
        },
        key,
      );
      toast("good", t("device.maintenance_asked"));
    });
    if (isDone) props.done();
  };
  return (
    <Dialog
      title={t("device.maintenance")}
      close={props.close}
      submit={() => void send()}
      submitText={t("device.maintenance")}
      isBusy={form.isBusy.value}
    >
      <Input field={form.fields.title} label={t("device.maintenance_title")} />
      {worst && <p class="quiet">{alarmSays(worst)}</p>}
      <Input field={form.fields.note} label={t("device.note")} rows={3} />
      <p class="quiet">{t("device.maintenance_hint", { n: props.alarms.length })}</p>
      <FormIssue form={form} />
    </Dialog>
  );
}

/** Forget what was usual before a repair. */
export function BaselineDialog(props: DialogProps) {
  const key = useMemo(newKey, []);
  const form = useForm(() => ({ note: ["", shorter(2000)] }));
  const send = async () => {
    const isDone = await form.submit(async () => {
      await api.post("/api/v1/devices/{device_id}/baseline/reset", {
        at: { device_id: props.device },
        body: { note: form.value("note").trim() },
        idempotencyKey: key,
      });
      toast("good", t("device.baseline_done"));
    });
    if (isDone) props.done();
  };
  return (
    <Dialog
      title={t("device.baseline")}
      close={props.close}
      submit={() => void send()}
      submitText={t("device.baseline")}
      isBusy={form.isBusy.value}
      isDanger
    >
      <p>{t("device.baseline_hint")}</p>
      <Input field={form.fields.note} label={t("device.note")} hint={t("device.baseline_note_hint")} autoFocus />
      <FormIssue form={form} />
    </Dialog>
  );
}
