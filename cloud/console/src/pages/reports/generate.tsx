/** Asks for a report; it is written while the window shows how far it is. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../../api/client";
import { Tick } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, useForm } from "../../parts/form";
import { type SpanField, SpanInputs, spanFields, spanOf } from "../../parts/span";
import { devices } from "../../stores/devices";
import { isOver, jobs, reportJobs } from "../../stores/jobs";
import { toast } from "../../stores/toasts";
import { type TextKey, t } from "../../text";
import { JobProgress } from "../jobs/detail";

const TYPES = ["anomaly_summary", "system_health", "maintenance_summary", "performance_summary"] as const;
const FORMATS = ["html", "pdf", "csv", "json"] as const;
type ReportType = (typeof TYPES)[number];
type ReportFormat = (typeof FORMATS)[number];

export function ReportDialog({ close }: { close: () => void }) {
  const form = useForm<SpanField | "report_type" | "format" | "device_id">(() => ({
    report_type: ["anomaly_summary"],
    format: ["html"],
    device_id: [""],
    ...spanFields("week"),
  }));
  const hasCharts = useSignal(true);
  const type = form.value("report_type") as ReportType;
  const ask = () => {
    const { from, to } = spanOf(form);
    return api.post("/api/v1/reports/generate", {
      body: {
        report_type: type,
        format: form.value("format") as ReportFormat,
        time_range_start: new Date(from).toISOString(),
        time_range_end: new Date(to).toISOString(),
        include_charts: hasCharts.value,
        parameters: { device_id: form.value("device_id"), gateway_id: "", top: 10 },
      },
    });
  };
  const submit = async () => {
    const isDone = await form.submit(ask);
    await jobs.load();
    if (!isDone) return;
    toast("good", t("work.report_done"));
    close();
  };
  return (
    <Dialog
      title={t("work.generate")}
      close={close}
      submit={() => void submit()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value}
    >
      <Input
        field={form.fields.report_type}
        label={t("work.report_type")}
        options={TYPES.map((one) => [one, t(`work.type_${one}` as TextKey)])}
        hint={t(`work.hint_${type}` as TextKey)}
      />
      <SpanInputs form={form} names={["day", "week", "month", "quarter"]} />
      <div class="fields">
        <Input
          field={form.fields.format}
          label={t("work.format")}
          options={FORMATS.map((one) => [one, t(`work.format_${one}` as TextKey)])}
        />
        <Input
          field={form.fields.device_id}
          label={t("common.device")}
          options={[
            ["", t("work.whole_plant")],
            ...devices.list.value.map((one) => [one.device_id, one.device_name] as const),
          ]}
        />
      </div>
      <Tick
        label={t("work.charts")}
        isOn={hasCharts.value}
        change={(isOn) => {
          hasCharts.value = isOn;
        }}
      />
      <FormIssue form={form} />
      {form.isBusy.value && <Writing />}
    </Dialog>
  );
}

/** How far the report is that was asked for last. */
function Writing() {
  useEffect(() => {
    const timer = setTimeout(() => void jobs.load(), 600);
    return () => clearTimeout(timer);
  }, []);
  const job = reportJobs.value.find((one) => !isOver(one));
  return (
    <div class="stack" role="status">
      <p>{t("work.writing_report")}</p>
      {job && <JobProgress job={job} />}
    </div>
  );
}
