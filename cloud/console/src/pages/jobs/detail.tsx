/** One job: how far it is, what it was asked for, how it came out, and what can be done with it. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Opened, Part } from "../../parts/beside";
import { Confirm } from "../../parts/confirm";
import { Mark } from "../../parts/marks";
import { bytes, percent } from "../../parts/number";
import { Pairs, Progress } from "../../parts/panel";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { codeSays } from "../../says/refusal";
import { act } from "../../stores/act";
import { again, askAgain } from "../../stores/job-again";
import { elapsed, isOver, type Job, jobs, steps, takeJob } from "../../stores/jobs";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { at, length, now } from "../../time/zone";
import { figure, metricName } from "../models/words";
import { called, fileOf, kindOf, plain, stepOf, subject } from "./words";

type Told = Record<string, unknown>;
const HIDDEN = new Set(["status", "report_path", "export_path", "charts", "metrics", "comparison", "confusion_matrix"]);

export function JobState({ job }: { job: Job }) {
  return <Mark of={job.state === "failed" ? "warning" : "normal"}>{word(job.state)}</Mark>;
}

export function JobProgress({ job }: { job: Job }) {
  const name = `${t("work.progress")}: ${kindOf(job)} ${subject(job)}`;
  return (
    <div class="job-progress">
      <Progress share={job.progress} isFailed={job.state === "failed"} label={name} />
      <span class="number">{percent(job.progress)}</span>
    </div>
  );
}

export function JobDetail({ job, close }: { job: Job; close: () => void }) {
  return (
    <Opened title={[kindOf(job), subject(job)].filter(Boolean).join(" · ")} close={close}>
      <div class="job-state">
        <div class="row spread">
          <JobState job={job} />
          <span class="quiet">
            {length(elapsed(job, now.value))} {!isOver(job) && t("work.limit", { time: length(job.limit_s) })}
          </span>
        </div>
        {!isOver(job) && <JobProgress job={job} />}
        {!isOver(job) && <p>{job.state === "queued" ? t("work.waiting_turn") : stepOf(job.step)}</p>}
      </div>
      <Actions job={job} close={close} />
      {job.error && <Failure error={job.error} />}
      <Outcome job={job} />
      <Part title={t("common.details")}>
        <Pairs of={facts(job)} />
      </Part>
      <Asked job={job} />
      <Log job={job} />
      <details>
        <summary>{t("work.raw")}</summary>
        <pre>{JSON.stringify(job, null, 2)}</pre>
      </details>
    </Opened>
  );
}

function facts(job: Job): (readonly [string, string])[] {
  const all: (readonly [string, string])[] = [
    [t("work.asked_by"), who(job.requested_by)],
    [t("work.asked_at"), at(job.created_at, "full")],
    [t("work.started"), at(job.started_at, "full")],
    [t("work.ended"), at(job.ended_at, "full")],
    [t("work.cancelled_by"), job.cancelled_by && who(job.cancelled_by)],
    [t("work.took"), `${length(elapsed(job, now.value))} ${t("work.limit", { time: length(job.limit_s) })}`],
    [t("work.memory"), t("work.at_most_memory", { size: bytes(job.memory_mib * 1_048_576) })],
    [t("work.message"), job.message],
    ["ID", job.id],
  ];
  return all.filter(([, value]) => value && value !== "–");
}

function Actions({ job, close }: { job: Job; close: () => void }) {
  const isAsking = useSignal(false);
  const request = isOver(job) ? again(job) : null;
  const file = fileOf(job);
  const result = job.result as Told;
  const repeat = async () => {
    if (!request) return;
    const outcome = await act(() => askAgain(request), { done: t("work.again_done") });
    if (outcome !== "done") return;
    await jobs.load();
    close();
  };
  return (
    <div class="actions">
      {file && (
        <a class="button main-action" href={file.path} {...(file.isPage ? { target: "_blank" } : { download: "" })}>
          {file.isPage ? t("work.view_page") : t("common.download")}
        </a>
      )}
      {typeof result.model === "string" && (
        <Link class="button" to={`/models?model=${encodeURIComponent(result.model)}`}>
          {t("work.open_model", { name: result.model })}
        </Link>
      )}
      {job.kind === "draw_dataset" && typeof result.dataset === "string" && (
        <Link class="button" to={`/data?dataset=${result.dataset}`}>
          {t("work.open_dataset")}
        </Link>
      )}
      {request && may(request.scope) && (
        <button type="button" class="button" onClick={() => void repeat()}>
          {t("work.again")}
        </button>
      )}
      {!isOver(job) && may("learning:write") && (
        <button
          type="button"
          class="button danger"
          onClick={() => {
            isAsking.value = true;
          }}
        >
          {t("work.cancel_job")}
        </button>
      )}
      {isAsking.value && (
        <Confirm
          title={t("work.cancel_title")}
          text={t("work.cancel_text")}
          action={t("work.cancel_job")}
          isDanger
          close={() => {
            isAsking.value = false;
          }}
          act={() => cancel(job)}
        />
      )}
    </div>
  );
}

function cancel(job: Job): Promise<unknown> {
  const at = { job_id: job.id };
  return act(async () => takeJob((await api.delete("/api/v1/jobs/{job_id}", { at })).data as Job), {
    done: t("work.cancelled"),
    wasDone: async () => (await api.get("/api/v1/jobs/{job_id}", { at })).data.state === "cancelled",
  });
}

function Failure({ error }: { error: NonNullable<Job["error"]> }) {
  const field = (error.details as Told).field;
  return (
    <div class="notice" role="note">
      <strong>{called("reason", error.reason)}</strong>
      <span>{codeSays(error.code, error.message)}</span>
      {typeof field === "string" && field && (
        <span class="quiet">
          {t("work.field")}: {field}
        </span>
      )}
    </div>
  );
}

function Outcome({ job }: { job: Job }) {
  const told = job.result as Told;
  const pairs = Object.entries(told)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => [word(name), plain(name, value)] as const)
    .filter(([, value]) => value);
  const figures = Object.entries((told.metrics ?? {}) as Record<string, number>);
  if (!pairs.length && !figures.length) return null;
  return (
    <Part title={t("work.result")}>
      <Pairs of={pairs} />
      {figures.length > 0 && <Pairs of={figures.map(([name, value]) => [metricName(name), figure(name, value)])} />}
    </Part>
  );
}

function Asked({ job }: { job: Job }) {
  const told = Object.entries((job.parameters ?? {}) as Told)
    .map(([name, value]) => [word(name.replace(/_us$/, "")), plain(name, value)] as const)
    .filter(([, value]) => value);
  if (!told.length) return null;
  return (
    <Part title={t("work.parameters")}>
      <Pairs of={told} />
    </Part>
  );
}

function Log({ job }: { job: Job }) {
  const heard = steps.value.get(job.id) ?? [];
  if (!heard.length) return null;
  return (
    <Part title={t("work.log")}>
      <ol class="steps" title={t("work.log_hint")}>
        {heard.map((one) => [
          <li key={`${one.at}-t`}>{at(one.at, "seconds")}</li>,
          <li key={`${one.at}-s`}>{stepOf(one.step)}</li>,
          <li key={`${one.at}-p`} class="number">
            {percent(one.share)}
          </li>,
        ])}
      </ol>
    </Part>
  );
}
