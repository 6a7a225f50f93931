/** Forms for labels: one, or many out of a CSV text. */
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { isTime, TimeInput } from "../../parts/time-input";
import { devices } from "../../stores/devices";
import { importLabels, labels, VERDICTS, type Verdict } from "../../stores/labels";
import { link } from "../../stores/link";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { meant, typed } from "../../time/typed";

const HOUR_MS = 3_600_000;
export function LabelDialog({ close, device }: { close: () => void; device: string }) {
  const known = devices.list.value;
  const form = useForm(() => ({
    device_id: [device || known[0]?.device_id || "", needed],
    verdict: ["true_fault"],
    from: [typed(Date.now() - HOUR_MS), isTime],
    to: [typed(Date.now()), isTime],
    kind: ["", shorter(64)],
    note: ["", shorter(1000)],
  }));
  const add = async () => {
    const { data } = await api.post("/api/v1/labels", {
      body: {
        device_id: form.value("device_id"),
        verdict: form.value("verdict") as Verdict,
        from: new Date(meant(form.value("from"))).toISOString(),
        to: new Date(meant(form.value("to"))).toISOString(),
        kind: form.value("kind").trim(),
        note: form.value("note").trim(),
      },
    });
    labels.merge(data, link.lastSeq);
    toast("good", t("data.label_added"));
  };
  const submit = async () => {
    if (await form.submit(add)) close();
  };
  return (
    <Dialog title={t("data.labels_add")} close={close} submit={() => void submit()} isBusy={form.isBusy.value}>
      <div class="fields">
        <Input
          field={form.fields.device_id}
          label={t("common.device")}
          options={known.map((one) => [one.device_id, one.device_name])}
        />
        <Input
          field={form.fields.verdict}
          label={t("data.verdict")}
          options={VERDICTS.map((one) => [one, t(`data.verdict_${one}`)])}
        />
        <TimeInput field={form.fields.from} label={t("common.from")} />
        <TimeInput field={form.fields.to} label={t("common.to")} />
      </div>
      <Input field={form.fields.kind} label={t("data.label_kind")} hint={t("data.label_kind_hint")} />
      <Input field={form.fields.note} label={t("data.note")} rows={2} />
      <FormIssue form={form} />
    </Dialog>
  );
}

export function ImportDialog({ close }: { close: () => void }) {
  const id = useId();
  const isReading = useSignal(false);
  const form = useForm(() => ({ text: ["", needed] }));
  const read = async (file: File | undefined) => {
    if (!file) return;
    isReading.value = true;
    form.fields.text.value.value = await file.text();
    isReading.value = false;
  };
  const keep = async () => {
    const count = await importLabels(form.value("text"));
    toast("good", t("data.imported", { n: count }));
    await labels.load();
  };
  const submit = async () => {
    if (await form.submit(keep)) close();
  };
  return (
    <Dialog
      title={t("data.import_title")}
      close={close}
      submit={() => void submit()}
      isBusy={form.isBusy.value || isReading.value}
      isWide
    >
      <p class="quiet">{t("data.import_hint")}</p>
      <div class="field">
        <label for={id}>{t("data.file")}</label>
        <input
          id={id}
          type="file"
          accept=".csv,text/csv"
          onChange={(event) => void read(event.currentTarget.files?.[0])}
        />
      </div>
      <Input
        field={form.fields.text}
        label={t("data.import_text")}
        rows={8}
        placeholder={
          "device_id,from,to,verdict,kind,note\npump-1,2026-01-15T10:29:57Z,2026-01-15T10:41:00Z,true_fault,bearing,"
        }
      />
      <FormIssue form={form} />
    </Dialog>
  );
}
