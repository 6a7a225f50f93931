/** Experiments: the runs of one compared, the best first. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Beside, Opened } from "../../parts/beside";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { Chip } from "../../parts/marks";
import { number } from "../../parts/number";
import { Failed, Loading, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked, useKept } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import {
  barShare,
  type Comparison,
  compareRuns,
  type Experiment,
  experiments,
  metricsOf,
  type Run,
} from "../../stores/experiments";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { t, word } from "../../text";
import { at, length, ms } from "../../time/zone";
import { plain } from "../jobs/words";
import { names } from "../reports/export";
import { figure, metricName } from "./words";

function columns(isShort: boolean): Column<Experiment>[] {
  const all: Column<Experiment>[] = [
    { key: "name", title: t("common.name"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "runs",
      title: t("models.runs"),
      isNumber: true,
      cell: (one) => number(one.metrics.runs),
      by: (one) => one.metrics.runs,
    },
    {
      key: "best",
      title: t("models.best"),
      cell: (one) => one.metrics.best_model ?? "–",
      by: (one) => one.metrics.best_model ?? "",
    },
    {
      key: "value",
      title: t("models.value"),
      cell: (one) =>
        one.metrics.best_value === null
          ? "–"
          : `${metricName(one.metrics.metric)} ${figure(one.metrics.metric, one.metrics.best_value)}`,
      by: (one) => one.metrics.best_value ?? 0,
    },
    {
      key: "tags",
      title: t("models.tags"),
      cell: (one) => (
        <span class="row">
          {one.tags.map((tag) => (
            <Chip key={tag}>{tag}</Chip>
          ))}
        </span>
      ),
      by: (one) => one.tags.join(" "),
    },
    { key: "made", title: t("models.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
  ];
  return isShort ? all.filter((one) => ["name", "runs", "made"].includes(one.key)) : all;
}

export function ExperimentsTab() {
  useKept(experiments, 20);
  const isAsked = useSignal(false);
  const id = query.value.get("experiment") ?? "";
  const opened = id ? experiments.get(id) : undefined;
  const add = may("learning:write") && (
    <button
      type="button"
      class="button"
      onClick={() => {
        isAsked.value = true;
      }}
    >
      {t("models.experiment_new")}
    </button>
  );
  const empty = (
    <>
      <p>{t("models.experiments_none")}</p>
      <p>{t("models.experiments_next")}</p>
      {add}
    </>
  );
  return (
    <>
      <Ready of={experiments} empty={empty}>
        <Beside isOpen={Boolean(opened)} isHalf>
          <Table
            name="experiments"
            rows={experiments.list.value}
            columns={columns(Boolean(opened))}
            id={(one) => one.id}
            open={(one) => setQuery({ experiment: one.id === id ? null : one.id, by: null })}
            opened={id}
            sortedBy="-made"
            tools={add}
          />
          {opened && <Detail key={id} experiment={opened} />}
        </Beside>
      </Ready>
      {isAsked.value && (
        <NewExperiment
          close={() => {
            isAsked.value = false;
          }}
        />
      )}
    </>
  );
}

function Detail({ experiment }: { experiment: Experiment }) {
  const metric = query.value.get("by") ?? "";
  const asked = useAsked(
    () => compareRuns(experiment.id, metric),
    [experiment.id, metric, experiment.metrics.runs],
    20,
  );
  const known = asked.data;
  return (
    <Opened title={experiment.name} close={() => setQuery({ experiment: null, by: null })} isLong>
      {experiment.description && <p>{experiment.description}</p>}
      {asked.error && !known && <Failed error={asked.error} retry={() => void asked.reload()} />}
      {!known && !asked.error && <Loading />}
      {known && known.runs.length === 0 && <p class="quiet">{t("models.runs_none")}</p>}
      {known && known.runs.length > 0 && <Runs of={known} />}
    </Opened>
  );
}

function Runs({ of }: { of: Comparison }) {
  return (
    <Table
      name="runs"
      rows={of.runs}
      columns={runColumns(of)}
      id={(one) => one.id}
      hasFilter={false}
      tools={
        <label class="row">
          {t("models.by_metric")}
          <select value={of.metric} onChange={(event) => setQuery({ by: event.currentTarget.value })}>
            {metricsOf(of.runs).map((one) => (
              <option key={one} value={one}>
                {metricName(one)}
              </option>
            ))}
          </select>
          <span class="quiet">{t(of.is_error ? "models.less_is_better" : "models.more_is_better")}</span>
        </label>
      }
    />
  );
}

function runColumns(of: Comparison): Column<Run>[] {
  return [
    { key: "rank", title: t("models.rank"), isNumber: true, cell: (one) => number(one.rank), by: (one) => one.rank },
    {
      key: "model",
      title: t("models.name"),
      cell: (one) => (
        <Link to={`/models?model=${encodeURIComponent(one.model)}&version=${one.version ?? ""}`}>
          {one.model} {one.version ?? ""}
        </Link>
      ),
      by: (one) => `${one.model} ${one.version}`,
    },
    {
      key: "value",
      title: metricName(of.metric),
      cell: (one) => <RunBar run={one} of={of} />,
      by: (one) => one.value ?? Number.NEGATIVE_INFINITY,
    },
    { key: "algorithm", title: t("models.algorithm"), cell: (one) => one.algorithm, by: (one) => one.algorithm },
    ...of.varied.slice(0, 6).map(
      (name): Column<Run> => ({
        key: `varied-${name}`,
        title: word(name),
        cell: (one) => plain(name, (one.parameters as Record<string, unknown>)[name]) || "–",
        by: (one) => plain(name, (one.parameters as Record<string, unknown>)[name]),
      }),
    ),
    {
      key: "took",
      title: t("models.took"),
      isNumber: true,
      cell: (one) => length((ms(one.ended_at) - ms(one.started_at)) / 1000),
      by: (one) => ms(one.ended_at) - ms(one.started_at),
    },
    { key: "ended", title: t("models.ended"), cell: (one) => at(one.ended_at), by: (one) => one.ended_at },
  ];
}

function RunBar({ run, of }: { run: Run; of: Comparison }) {
  const isBest = run.id === of.best_run_id;
  return (
    <div class="run-bar">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="ground" width="100" height="8" />
        <rect class={`value ${isBest ? "best" : ""}`} width={100 * barShare(run.value, of.runs)} height="8" />
      </svg>
      <span class="number">
        {isBest ? <strong>{figure(of.metric, run.value)}</strong> : figure(of.metric, run.value)}
      </span>
    </div>
  );
}

function NewExperiment({ close }: { close: () => void }) {
  const form = useForm(() => ({
    name: ["", needed, shorter(200)],
    description: ["", shorter(2000)],
    tags: [""],
    metric: [""],
  }));
  const add = async () => {
    const { data } = await api.post("/api/v1/experiments", {
      body: {
        name: form.value("name").trim(),
        description: form.value("description").trim(),
        tags: names(form.value("tags")),
        metric: form.value("metric").trim(),
      },
    });
    experiments.merge(data, link.lastSeq);
    toast("good", t("models.experiment_made"));
    setQuery({ experiment: data.id });
  };
  const submit = async () => {
    if (await form.submit(add)) close();
  };
  const metrics = ["f1", "f1_macro", "accuracy", "recall", "precision", "auc_roc", "mae", "rmse", "r2", "stability"];
  return (
    <Dialog title={t("models.experiment_new")} close={close} submit={() => void submit()} isBusy={form.isBusy.value}>
      <Input field={form.fields.name} label={t("common.name")} autoFocus />
      <Input field={form.fields.description} label={t("models.description")} rows={2} />
      <div class="fields">
        <Input field={form.fields.tags} label={t("models.tags")} hint={t("models.tags_hint")} />
        <Input
          field={form.fields.metric}
          label={t("models.metric")}
          options={[["", t("models.metric_auto")], ...metrics.map((one) => [one, metricName(one)] as const)]}
        />
      </div>
      <FormIssue form={form} />
    </Dialog>
  );
}
