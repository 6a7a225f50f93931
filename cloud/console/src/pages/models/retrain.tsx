/** Lets a detector learn anew from stored readings. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Choices } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, useForm } from "../../parts/form";
import { useKept } from "../../parts/use";
import { go } from "../../router";
import { readJob } from "../../stores/jobs";
import { algorithms, models } from "../../stores/models";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { sources } from "../data/draw";
import { algorithmName } from "./words";

const EDGE = ["whitening", "autoencoder", "convolutional_autoencoder"];

export function RetrainDialog({ model, close }: { model: string; close: () => void }) {
  useKept(algorithms);
  const known = models.list.value.filter((one) => one.type === "anomaly");
  const form = useForm(() => ({
    model_name: [model || known[0]?.name || "", needed],
    training_days: ["14", needed, between(0.01, 3650)],
    algorithm: [""],
    devices: [""],
  }));
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const ask = async () => {
    const { data } = await api.post("/api/v1/models/retrain", {
      body: {
        model_name: form.value("model_name").trim(),
        training_days: Number(form.value("training_days")),
        devices: [...chosen.value],
        tags: [],
        algorithm: form.value("algorithm"),
      },
    });
    toast("good", t("models.retrained"));
    const id = `job_${data.job_id.replaceAll("-", "")}`;
    await readJob(id).catch(() => undefined);
    go(`/jobs?job=${id}`);
  };
  return (
    <Dialog
      title={t("models.retrain_title")}
      close={close}
      submit={() => void form.submit(ask)}
      submitText={t("models.retrain")}
      isBusy={form.isBusy.value}
    >
      <p class="quiet">{t("models.retrain_text")}</p>
      <div class="fields">
        <Input
          field={form.fields.model_name}
          label={t("models.name")}
          hint={t("models.model_name_hint").split(".")[0]}
        />
        <Input field={form.fields.training_days} label={t("models.days")} type="number" />
        <Input
          field={form.fields.algorithm}
          label={t("models.algorithm")}
          options={[["", t("models.algorithm_auto")], ...EDGE.map((one) => [one, algorithmName(one)] as const)]}
        />
      </div>
      <Choices
        label={t("models.devices")}
        options={sources().map((one) => [one.id, one.name])}
        chosen={chosen}
        hint={t("models.devices_hint")}
        issue={form.fields.devices.shownIssue}
      />
      <FormIssue form={form} />
    </Dialog>
  );
}
