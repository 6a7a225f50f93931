/** The page: jobs, how far they are, and how they came out. */
import { codeSays } from "../../says/refusal";
import "../../style/work.css";
import { useEffect } from "preact/hooks";
import { Beside } from "../../parts/beside";
import { bytes } from "../../parts/number";
import { PageHead, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { who } from "../../parts/who";
import { Link, query, setQuery } from "../../router";
import { elapsed, isOver, type Job, jobs, newestFirst, readJob } from "../../stores/jobs";
import { type TextKey, t, word } from "../../text";
import { ago, at, length, now } from "../../time/zone";
import { JobDetail, JobProgress, JobState } from "./detail";
import { fileOf, kindOf, stepOf, subject } from "./words";

const KINDS = ["train", "retrain", "draw_dataset", "autonomous", "report", "export"] as const;

function columns(isShort: boolean): Column<Job>[] {
  const all: Column<Job>[] = [
    {
      key: "what",
      title: t("work.what"),
      cell: (job) => (
        <>
          {kindOf(job)} <span class="quiet">{subject(job)}</span>
        </>
      ),
      by: (job) => `${kindOf(job)} ${subject(job)}`,
    },
    { key: "state", title: t("common.state"), cell: (job) => <JobState job={job} />, by: (job) => word(job.state) },
    {
      key: "progress",
      title: t("work.outcome"),
      cell: (job) => (isOver(job) ? <Ending job={job} /> : <Going job={job} />),
    },
    {
      key: "took",
      title: t("work.took"),
      isNumber: true,
      cell: (job) => (job.started_at ? length(elapsed(job, isOver(job) ? 0 : now.value)) : "–"),
      by: (job) => job.elapsed_s,
    },
    { key: "by", title: t("work.asked_by"), cell: (job) => who(job.requested_by), by: (job) => who(job.requested_by) },
    {
      key: "asked",
      title: t("work.asked_at"),
      cell: (job) => (
        <time dateTime={job.created_at} title={at(job.created_at, "full")}>
          {at(job.created_at)}
        </time>
      ),
      by: (job) => job.created_at,
    },
  ];
  return isShort ? all.filter((one) => ["what", "state", "progress"].includes(one.key)) : all;
}

function Going({ job }: { job: Job }) {
  return (
    <div class="row going">
      <JobProgress job={job} />
      <span>{job.state === "queued" ? t("work.waiting_turn") : stepOf(job.step)}</span>
    </div>
  );
}

function Ending({ job }: { job: Job }) {
  const file = fileOf(job);
  if (job.error)
    return (
      <span class="quiet job-error" title={job.error.message}>
        {codeSays(job.error.code, job.error.message)}
      </span>
    );
  if (!file) return <span class="quiet">{ago(job.ended_at)}</span>;
  const size = (job.result as Record<string, unknown>).size_bytes;
  return (
    <a href={file.path} {...(file.isPage ? { target: "_blank" } : { download: "" })}>
      {file.isPage ? t("work.view_page") : t("common.download")} {typeof size === "number" && bytes(size)}
    </a>
  );
}

function isWanted(job: Job, state: string, kind: string): boolean {
  const isState = state === "open" ? !isOver(job) : !state || job.state === state;
  return isState && (!kind || job.kind === kind);
}

export function JobsPage(_: { at: Record<string, string> }) {
  useKept(jobs, 30);
  const state = query.value.get("state") ?? "";
  const kind = query.value.get("kind") ?? "";
  const id = query.value.get("job") ?? "";
  const opened = id ? jobs.get(id) : undefined;
  const isMissing = Boolean(id) && !opened && jobs.state.value === "ready";
  useEffect(() => {
    if (isMissing) void readJob(id).catch(() => setQuery({ job: null }));
  }, [id, isMissing]);
  const shown = newestFirst.value.filter((job) => isWanted(job, state, kind));
  return (
    <>
      <PageHead title={t("work.jobs")} />
      <Ready of={jobs} empty={<Empty />}>
        <Beside isOpen={Boolean(opened)}>
          <Table
            name="jobs"
            rows={shown}
            columns={columns(Boolean(opened))}
            id={(job) => job.id}
            open={(job) => setQuery({ job: job.id === id ? null : job.id })}
            opened={id}
            tools={<Filters state={state} kind={kind} />}
            height="calc(100vh - 160px)"
          />
          {opened && <JobDetail key={id} job={opened} close={() => setQuery({ job: null })} />}
        </Beside>
      </Ready>
    </>
  );
}

function Filters({ state, kind }: { state: string; kind: string }) {
  const states = [
    ["", t("work.all_states")],
    ["open", t("work.still_open")],
    ["failed", t("work.only_failed")],
    ["succeeded", t("work.only_done")],
    ["cancelled", word("cancelled")],
  ];
  return (
    <>
      <select
        aria-label={t("common.state")}
        value={state}
        onChange={(event) => setQuery({ state: event.currentTarget.value })}
      >
        {states.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <select
        aria-label={t("work.what")}
        value={kind}
        onChange={(event) => setQuery({ kind: event.currentTarget.value })}
      >
        <option value="">{t("work.all_kinds")}</option>
        {KINDS.map((one) => (
          <option key={one} value={one}>
            {t(`work.kind_${one}` as TextKey)}
          </option>
        ))}
      </select>
    </>
  );
}

function Empty() {
  return (
    <>
      <p>{t("work.none_yet")}</p>
      <p>{t("work.none_next")}</p>
      <div class="row">
        <Link class="button" to="/data">
          {t("work.to_data")}
        </Link>
        <Link class="button" to="/models">
          {t("work.to_models")}
        </Link>
      </div>
    </>
  );
}
