/** Compares the newest readings of one series with earlier ones, now. */
import { useSignal } from "@preact/signals";
import { type Answer, api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, useForm } from "../../parts/form";
import { number } from "../../parts/number";
import { Pairs } from "../../parts/panel";
import { devices } from "../../stores/devices";
import { type DriftCheck, verdictOf } from "../../stores/drift";
import { t } from "../../text";
import { chance, DriftTold } from "./drift";
import { called } from "./words";

type Told = Answer<"/api/v1/ml/check_drift", "post">;
/** What the API calls the main tag of a device. */
const PRIMARY = "value";
const WINDOWS = [15, 60, 240, 720, 1440, 10_080] as const;

export function DriftDialog({ close }: { close: () => void }) {
  const found = useSignal<Told | null>(null);
  const form = useForm(() => ({
    sensor_id: [devices.list.value[0]?.device_id ?? "", needed],
    metric: [""],
    window_minutes: ["60"],
    p_value_threshold: ["0.05", needed, between(0.000_001, 0.999)],
    min_samples: ["30", needed, between(2, 100_000)],
  }));
  const device = devices.get(form.value("sensor_id"));
  const tags = (device?.metadata as { metrics?: readonly string[] } | undefined)?.metrics ?? [];
  if (form.value("metric") && !tags.includes(form.value("metric"))) form.fields.metric.value.value = "";
  const check = async () => {
    found.value = null;
    const { data } = await api.post("/api/v1/ml/check_drift", {
      body: {
        sensor_id: form.value("sensor_id"),
        metric: form.value("metric") || PRIMARY,
        window_minutes: Number(form.value("window_minutes")),
        p_value_threshold: Number(form.value("p_value_threshold")),
        min_samples: Number(form.value("min_samples")),
      },
    });
    found.value = data;
  };
  const window = (minutes: number) =>
    minutes < 60 ? t("models.drift_minutes", { n: minutes }) : t("models.drift_hours", { n: number(minutes / 60) });
  return (
    <Dialog
      title={t("models.drift_title")}
      close={close}
      submit={() => void form.submit(check)}
      submitText={t("models.drift_check")}
      isBusy={form.isBusy.value}
    >
      <div class="fields">
        <Input
          field={form.fields.sensor_id}
          label={t("models.drift_device")}
          options={devices.list.value.map((one) => [one.device_id, one.device_name])}
        />
        <Input
          field={form.fields.metric}
          label={t("models.drift_tag")}
          options={[["", t("models.drift_main")], ...tags.map((one) => [one, one] as const)]}
        />
        <Input
          field={form.fields.window_minutes}
          label={t("models.drift_window")}
          options={WINDOWS.map((one) => [String(one), window(one)])}
        />
        <Input field={form.fields.min_samples} label={t("models.drift_least")} type="number" />
      </div>
      <Input
        field={form.fields.p_value_threshold}
        label={t("models.drift_p")}
        hint={t("models.drift_p_hint")}
        type="number"
      />
      <FormIssue form={form} />
      {found.value && <Found of={found.value} />}
    </Dialog>
  );
}

function Found({ of }: { of: Told }) {
  const verdict = verdictOf({ ...of, is_lasting: false } as DriftCheck);
  return (
    <div class={`notice drift-found ${verdict === "found" ? "" : "calm"}`} role="status">
      <DriftTold of={verdict} notes={of.notes} />
      <Pairs
        of={[
          [t("models.drift_pvalue"), of.corrected ? chance(of.corrected.p_value) : "–"],
          [t("models.drift_ks"), number(verdict === "few" ? null : of.ks_statistic, "", 3)],
          [t("models.drift_psi"), number(of.psi, "", 2)],
          [t("models.drift_counts"), `${number(of.recent_count)} / ${number(of.baseline_count)}`],
          [t("models.drift_baseline"), called("baseline", of.baseline ?? "week_before")],
          [t("models.drift_notes"), of.notes || "–"],
        ]}
      />
    </div>
  );
}
