/** The dialog that puts a request for maintenance into the inbox. */
import { useMemo } from "preact/hooks";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { TimeInput } from "../../parts/time-input";
import { setQuery } from "../../router";
import { askForMaintenance } from "../../stores/decisions";
import { devices } from "../../stores/devices";
import { newKey } from "../../stores/once";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { meant } from "../../time/typed";
import { ahead } from "./answer";

export function Ask({ close, device = "", alarms = [] }: { close: () => void; device?: string; alarms?: string[] }) {
  const form = useForm(() => ({
    title: ["", needed, shorter(400)],
    device_id: [device],
    note: ["", shorter(2000)],
    due_at: ["", ahead()],
  }));
  // One key for all tries of this dialog: pressed twice, it is still one request.
  const key = useMemo(newKey, []);
  const send = async () => {
    const { title, device_id, note, due_at } = form.fields;
    const isDone = await form.submit(async () => {
      const id = await askForMaintenance(
        {
          kind: "maintenance",
          title: title.value.value.trim(),
          note: note.value.value.trim(),
          alarms,
          ...(device_id.value.value ? { device_id: device_id.value.value } : {}),
          ...(due_at.value.value ? { due_at: new Date(meant(due_at.value.value)).toISOString() } : {}),
        },
        key,
      );
      toast("good", t("decisions.asked"));
      setQuery({ state: null, kind: null, request: id });
    });
    if (isDone) close();
  };
  const options = [
    ["", t("decisions.ask_no_device")] as const,
    ...devices.list.value.map((one) => [one.device_id, one.device_id] as const),
  ];
  return (
    <Dialog
      title={t("decisions.ask")}
      close={close}
      submit={() => void send()}
      submitText={t("decisions.ask")}
      isBusy={form.isBusy.value}
    >
      <Input
        field={form.fields.title}
        label={t("decisions.ask_title")}
        hint={t("decisions.ask_title_hint")}
        autoFocus
      />
      <Input field={form.fields.device_id} label={t("common.device")} options={options} />
      <Input field={form.fields.note} label={t("decisions.ask_note")} rows={3} />
      <TimeInput field={form.fields.due_at} label={t("decisions.ask_due")} hint={t("decisions.ask_due_hint")} />
      <FormIssue form={form} />
    </Dialog>
  );
}
