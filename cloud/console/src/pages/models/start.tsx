/** Starts a rollout: one gateway or device as a canary, or the fleet group by group, with its thresholds. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Tick } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { between, type Check, FormIssue, Input, useForm } from "../../parts/form";
import { useKept } from "../../parts/use";
import { setQuery } from "../../router";
import { gateways } from "../../stores/gateways";
import { models } from "../../stores/models";
import { readGroups, rollouts } from "../../stores/rollouts";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

const isGroups: Check = (text) => (readGroups(text)?.at(-1) === 100 ? "" : t("models.groups_bad"));
const WHERES = ["canary", "device", "groups"] as const;

export function StartDialog({ model, version, close }: { model: string; version?: number; close: () => void }) {
  useKept(gateways);
  const form = useForm(() => ({
    model: [model],
    where: ["canary"],
    gateways: [gateways.list.value[0]?.gateway_id ?? ""],
    devices: [""],
    groups: ["5, 25, 100", isGroups],
    success_percent: ["80", between(0, 100)],
    error_percent: ["10", between(0, 100)],
    max_over: ["5", between(0, 100)],
    min_agreement: ["90", between(0, 100)],
    soak_s: ["60", between(0, 2_592_000)],
    shadow_rows: ["300", between(0, 10_000_000)],
    phase: ["serving"],
  }));
  const needsApproval = useSignal(false);
  const where = form.value("where");
  const number = (name: Parameters<typeof form.value>[0]) => Number(form.value(name));
  const start = async () => {
    const { data } = await api.post("/api/v1/rollouts", {
      body: {
        model: form.value("model"),
        version,
        gateways: where === "canary" ? [form.value("gateways")] : ["*"],
        devices: where === "device" ? [form.value("devices")] : [],
        groups: where === "groups" ? (readGroups(form.value("groups")) ?? [100]) : [100],
        success_percent: number("success_percent"),
        error_percent: number("error_percent"),
        max_over: number("max_over") / 100,
        min_agreement: number("min_agreement") / 100,
        soak_s: number("soak_s"),
        shadow_rows: number("shadow_rows"),
        phase: form.value("phase") as "serving" | "shadow",
        needs_approval: needsApproval.value,
        ...REST,
      },
    });
    await rollouts.load();
    toast("good", t("models.start_done"));
    setQuery({ tab: "rollouts", rollout: data.id, model: null, version: null });
  };
  const submit = async () => {
    if (await form.submit(start)) close();
  };
  const places = gateways.list.value;
  const devices = [...new Set(places.flatMap((one) => (one.models ?? []).map((used) => used.device)))].sort();
  if (where === "canary" && !form.value("gateways") && places[0]) {
    form.fields.gateways.value.value = places[0].gateway_id;
  }
  if (where === "device" && !form.value("devices") && devices[0]) form.fields.devices.value.value = devices[0];
  return (
    <Dialog
      title={t("models.start_title", { model: form.value("model") || t("models.name") })}
      close={close}
      submit={() => void submit()}
      submitText={t("models.start")}
      isBusy={form.isBusy.value}
    >
      <p class="quiet">{t("models.start_text")}</p>
      {!version && (
        <Input
          field={form.fields.model}
          label={t("models.name")}
          options={models.list.value.filter((one) => one.type === "anomaly").map((one) => [one.name, one.name])}
        />
      )}
      <div class="fields">
        <Input
          field={form.fields.where}
          label={t("models.where")}
          options={WHERES.map((one) => [one, t(`models.where_${one}`)])}
        />
        {where === "canary" && (
          <Input
            field={form.fields.gateways}
            label={t("models.gateway")}
            options={places.map((one) => [one.gateway_id, one.gateway_id])}
          />
        )}
        {where === "device" && (
          <Input field={form.fields.devices} label={t("models.device")} options={devices.map((one) => [one, one])} />
        )}
        {where === "groups" && (
          <Input field={form.fields.groups} label={t("models.groups")} hint={t("models.groups_hint")} />
        )}
      </div>
      <Tick
        label={t("models.rule_needs_approval")}
        isOn={needsApproval.value}
        change={(isOn) => {
          needsApproval.value = isOn;
        }}
      />
      <details>
        <summary>{t("models.thresholds")}</summary>
        <div class="fields settings-fields">
          {(["success_percent", "error_percent", "max_over", "min_agreement"] as const).map((one) => (
            <Input
              key={one}
              field={form.fields[one]}
              label={t(`models.rule_${one}`)}
              hint={t("models.in_percent")}
              type="number"
            />
          ))}
          <Input field={form.fields.soak_s} label={t("models.rule_soak_s")} hint={t("models.seconds")} type="number" />
          <Input field={form.fields.shadow_rows} label={t("models.rule_shadow_rows")} type="number" />
          <Input
            field={form.fields.phase}
            label={t("models.rule_phase")}
            options={[
              ["serving", t("models.phase_serving")],
              ["shadow", t("models.phase_shadow")],
            ]}
          />
        </div>
      </details>
      <FormIssue form={form} />
    </Dialog>
  );
}

/** Rules that nobody is asked for: the API's own defaults. */
const REST = { answer_s: 120, away_s: 3600, min_rows: 100 };
