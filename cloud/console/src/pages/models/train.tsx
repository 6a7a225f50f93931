/** Trains a model on a dataset: what it shall find, by which algorithm, with which settings. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { between, type Form, FormIssue, Input, needed, useForm } from "../../parts/form";
import { useAsked, useKept } from "../../parts/use";
import { go, Link } from "../../router";
import { type DatasetDetails, datasets } from "../../stores/datasets";
import { experiments } from "../../stores/experiments";
import { readJob } from "../../stores/jobs";
import { algorithms } from "../../stores/models";
import { changed, problemOf, settingsOf } from "../../stores/settings-form";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { SettingFields } from "./settings-fields";
import { algorithmName } from "./words";

const TASKS = ["auto", "anomaly", "classification", "regression", "forecast"] as const;
type Task = (typeof TASKS)[number];
const NAMES = ["file_id", "model_type", "algorithm", "target_column", "group_column", "model_name"] as const;
type Name = (typeof NAMES)[number] | "test_split" | "experiment_id" | "settings";

export function TrainDialog({ dataset, close }: { dataset: string; close: () => void }) {
  useKept(datasets);
  useKept(algorithms);
  useKept(experiments);
  const all = datasets.list.value;
  const form = useForm<Name>(() => ({
    file_id: [dataset === "new" ? "" : dataset, needed],
    model_type: ["auto"],
    algorithm: [""],
    target_column: [""],
    group_column: [""],
    model_name: [""],
    test_split: ["20", needed, between(1, 90)],
    experiment_id: [""],
    settings: [""],
  }));
  const typed = useSignal<Readonly<Record<string, string>>>({});
  if (!form.value("file_id") && all[0]) form.fields.file_id.value.value = all[0].id;
  const id = form.value("file_id");
  const known = useAsked(
    id ? async () => (await api.get("/api/v1/datasets/{dataset_id}", { at: { dataset_id: id } })).data : null,
    [id],
  ).data;
  const chosen = algorithms.get(form.value("algorithm"));
  const settings = chosen ? settingsOf(chosen.parameters) : [];
  const isWrong = settings.some((one) => problemOf(one, typed.value[one.name] ?? one.first));
  const ask = async () => {
    const { data } = await api.post("/api/v1/train", {
      body: {
        file_id: id,
        model_type: form.value("model_type") as Task,
        algorithm: form.value("algorithm"),
        target_column: form.value("target_column"),
        features: [],
        group_column: form.value("group_column"),
        settings: changed(settings, typed.value),
        model_name: form.value("model_name").trim(),
        training_params: { test_split: Number(form.value("test_split")) / 100, random_state: 0 },
        experiment_id: form.value("experiment_id"),
      },
    });
    toast("good", t("models.trained"));
    await readJob(data.job_id).catch(() => undefined);
    go(`/jobs?job=${data.job_id}`);
  };
  if (!all.length && datasets.state.value === "ready") return <NoData close={close} />;
  return (
    <Dialog
      title={t("models.train_title")}
      close={close}
      submit={() => void (isWrong ? undefined : form.submit(ask))}
      submitText={t("models.train")}
      isBusy={form.isBusy.value}
      isWide
    >
      <div class="fields">
        <Input
          field={form.fields.file_id}
          label={t("models.train_dataset")}
          options={all.map((one) => [one.id, one.name])}
        />
        <Input field={form.fields.model_name} label={t("models.model_name")} hint={t("models.model_name_hint")} />
      </div>
      <What form={form} known={known} />
      <div class="fields">
        <Input
          field={form.fields.test_split}
          label={t("models.test_split")}
          hint={t("models.test_split_hint")}
          type="number"
        />
        <Input
          field={form.fields.experiment_id}
          label={t("models.experiment")}
          options={[
            ["", t("models.experiment_none")],
            ...experiments.list.value.map((one) => [one.id, one.name] as const),
          ]}
        />
      </div>
      {settings.length > 0 && (
        <details open>
          <summary>{t("models.advanced")}</summary>
          <SettingFields settings={settings} typed={typed} issue={form.fields.settings.shownIssue} />
        </details>
      )}
      <FormIssue form={form} />
    </Dialog>
  );
}

const EDGE = new Set(["whitening", "autoencoder", "convolutional_autoencoder"]);

/** What it shall find and by what: choices narrow each other down. */
function What({ form, known }: { form: Form<Name>; known: DatasetDetails | null }) {
  const task = form.value("model_type");
  const fitting = algorithms.list.value.filter((one) => task === "auto" || one.task === task);
  const chosen = algorithms.get(form.value("algorithm"));
  if (chosen && !fitting.includes(chosen)) form.fields.algorithm.value.value = "";
  const columns = known?.columns.filter((one) => one.kind !== "time") ?? [];
  const groups = columns.filter((one) => one.kind === "category");
  const isAnomaly = task === "anomaly" || chosen?.task === "anomaly";
  const name = (one: (typeof fitting)[number]) =>
    EDGE.has(one.name) ? `${algorithmName(one.name)} (${t("models.algorithm_on_edge")})` : algorithmName(one.name);
  return (
    <div class="fields">
      <Input
        field={form.fields.model_type}
        label={t("models.task")}
        options={TASKS.map((one) => [one, t(`models.task_${one}`)])}
      />
      <Input
        field={form.fields.algorithm}
        label={t("models.algorithm")}
        hint={chosen?.summary}
        options={[["", t("models.algorithm_auto")], ...fitting.map((one) => [one.name, name(one)] as const)]}
      />
      <Input
        field={form.fields.target_column}
        label={t("models.target")}
        options={[
          ["", known?.target_column || !isAnomaly ? t("models.target_auto") : t("models.target_none")],
          ...columns.map((one) => [one.name, one.name] as const),
        ]}
      />
      {groups.length > 0 && (
        <Input
          field={form.fields.group_column}
          label={t("models.group")}
          options={[["", t("models.group_none")], ...groups.map((one) => [one.name, one.name] as const)]}
        />
      )}
    </div>
  );
}

function NoData({ close }: { close: () => void }) {
  return (
    <Dialog title={t("models.train_title")} close={close}>
      <p>{t("models.train_none")}</p>
      <Link class="button main-action" to="/data">
        {t("models.to_data")}
      </Link>
    </Dialog>
  );
}
