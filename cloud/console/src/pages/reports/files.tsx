/** The lists of reports and of exports: how far each is, and its file. */
import type { ComponentChildren } from "preact";
import { bytes, number } from "../../parts/number";
import { Failed, Loading } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { exportJobs, isOver, type Job, jobs, reportJobs } from "../../stores/jobs";
import { t } from "../../text";
import { at } from "../../time/zone";
import { JobProgress, JobState } from "../jobs/detail";
import { called, fileOf } from "../jobs/words";

type Told = Record<string, unknown>;
const told = (job: Job): Told => ({ ...((job.parameters ?? {}) as Told), ...(job.result as Told) });

function FileLink({ job }: { job: Job }) {
  const file = fileOf(job);
  if (!isOver(job)) return <JobProgress job={job} />;
  if (!file) return <JobState job={job} />;
  return (
    <span class="row links">
      {file.isPage && (
        <a href={file.path} target="_blank" rel="noopener">
          {t("work.view_page")}
        </a>
      )}
      <a href={file.path} download={file.name}>
        {t("common.download")}
      </a>
    </span>
  );
}

const made = (): Column<Job> => ({
  key: "made",
  title: t("work.made"),
  cell: (job) => (
    <Link to={`/jobs?job=${job.id}`} title={at(job.ended_at ?? job.created_at, "full")}>
      {at(job.ended_at ?? job.created_at)}
    </Link>
  ),
  by: (job) => job.ended_at ?? job.created_at,
});
const by = (): Column<Job> => ({
  key: "by",
  title: t("work.asked_by"),
  cell: (job) => who(job.requested_by),
  by: (job) => who(job.requested_by),
});
const file = (): Column<Job> => ({ key: "file", title: t("work.file"), cell: (job) => <FileLink job={job} /> });
const format = (): Column<Job> => ({
  key: "format",
  title: t("work.format"),
  cell: (job) => String(told(job).format ?? "").toUpperCase(),
  by: (job) => String(told(job).format ?? ""),
});

/** Return the days that a report is about, as it says them itself or as they were asked for. */
function range(job: Job): string {
  const facts = told(job);
  if (typeof facts.date_range === "string") return facts.date_range.replace(" to ", " – ");
  return typeof facts.start === "string" ? `${facts.start.slice(0, 10)} – ${String(facts.end).slice(0, 10)}` : "–";
}

export function ReportList() {
  const type = (job: Job) => called("type", String(told(job).report_type ?? ""));
  return (
    <Files
      name="reports"
      rows={reportJobs.value}
      kept={t("work.kept_reports")}
      empty={[t("work.none_reports"), t("work.none_reports_next")]}
      columns={[
        { key: "about", title: t("work.report_type"), cell: type, by: type },
        { key: "range", title: t("work.range"), cell: range, by: range },
        format(),
        made(),
        by(),
        file(),
      ]}
    />
  );
}

function span(job: Job): string {
  const { start_us: start, end_us: end } = told(job);
  return typeof start === "number" ? `${at(start / 1000)} – ${at(Number(end) / 1000)}` : "–";
}

function whose(job: Job): string {
  const devices = told(job).devices as readonly string[][] | undefined;
  return devices?.length ? devices.map((pair) => pair.at(-1)).join(", ") : t("work.all_devices");
}

export function ExportList() {
  return (
    <Files
      name="exports"
      rows={exportJobs.value}
      kept={t("work.kept_exports")}
      empty={[t("work.none_exports"), t("work.none_exports_next")]}
      columns={[
        { key: "range", title: t("work.range"), cell: span, by: (job) => Number(told(job).start_us ?? 0) },
        { key: "devices", title: t("work.choose_devices"), cell: whose, by: whose },
        format(),
        {
          key: "rows",
          title: t("work.rows"),
          isNumber: true,
          cell: (job) => number(told(job).rows),
          by: (job) => Number(told(job).rows ?? 0),
        },
        {
          key: "size",
          title: t("work.size"),
          isNumber: true,
          cell: (job) => bytes(told(job).size_bytes),
          by: (job) => Number(told(job).size_bytes ?? 0),
        },
        made(),
        by(),
        file(),
      ]}
    />
  );
}

function Files(props: {
  name: string;
  rows: readonly Job[];
  columns: readonly Column<Job>[];
  kept: ComponentChildren;
  empty: readonly [string, string];
}) {
  if (jobs.state.value === "failed") return <Failed error={jobs.error.value} retry={() => void jobs.load()} />;
  if (jobs.state.value !== "ready") return <Loading />;
  if (!props.rows.length) {
    return (
      <div class="panel empty">
        <p>{props.empty[0]}</p>
        <p>{props.empty[1]}</p>
      </div>
    );
  }
  return (
    <Table
      name={props.name}
      rows={props.rows}
      columns={props.columns}
      id={(job) => job.id}
      tools={<span class="quiet">{props.kept}</span>}
    />
  );
}
