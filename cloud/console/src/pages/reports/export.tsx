/** Asks for readings as a file. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Choices } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, useForm } from "../../parts/form";
import { type SpanField, SpanInputs, spanFields, spanOf } from "../../parts/span";
import { devices } from "../../stores/devices";
import { jobs } from "../../stores/jobs";
import { toast } from "../../stores/toasts";
import { type TextKey, t } from "../../text";

const FORMATS = ["csv", "parquet", "json"] as const;
type ExportFormat = (typeof FORMATS)[number];

/** Return names that are separated by commas. */
export function names(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
}

export function ExportDialog({ close }: { close: () => void }) {
  const form = useForm<SpanField | "format" | "metrics" | "device_ids">(() => ({
    format: ["csv"],
    metrics: [""],
    device_ids: [""],
    ...spanFields("day"),
  }));
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const ask = () => {
    const { from, to } = spanOf(form);
    return api.post("/api/v1/export", {
      body: {
        format: form.value("format") as ExportFormat,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        device_ids: [...chosen.value],
        metrics: names(form.value("metrics")),
      },
    });
  };
  const submit = async () => {
    if (!(await form.submit(ask))) return;
    toast("good", t("work.export_started"));
    await jobs.load();
    close();
  };
  return (
    <Dialog
      title={t("work.new_export")}
      close={close}
      submit={() => void submit()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value}
    >
      <SpanInputs form={form} names={["hour", "day", "week", "month"]} />
      <Choices
        label={t("work.choose_devices")}
        options={devices.list.value.map((one) => [one.device_id, one.device_name])}
        chosen={chosen}
        hint={t("work.devices_hint")}
        issue={form.fields.device_ids.shownIssue}
      />
      <div class="fields">
        <Input
          field={form.fields.format}
          label={t("work.format")}
          options={FORMATS.map((one) => [one, t(`work.format_${one}` as TextKey)])}
        />
        <Input field={form.fields.metrics} label={t("work.tags")} hint={t("work.tags_hint")} />
      </div>
      <p class="quiet">{t("work.first_days")}</p>
      <FormIssue form={form} />
    </Dialog>
  );
}
