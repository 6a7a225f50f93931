/** Jobs and how far they are, with the steps that were heard of each while the page is open. */
import { computed, signal } from "@preact/signals";
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Job = Answer<"/api/v1/jobs">[number];

const MOST = 500;

export const jobs = new Resource<Job>({
  identify: (job) => job.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/jobs", { query: { limit: MOST } })).data,
});

export const FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

export const isOver = (job: Job): boolean => FINAL.has(job.state);

/** Jobs, the newest first. */
export const newestFirst = computed(() =>
  [...jobs.list.value].sort((one, other) => other.created_at.localeCompare(one.created_at)),
);
export const reportJobs = computed(() => newestFirst.value.filter((one) => one.kind === "report"));
export const exportJobs = computed(() => newestFirst.value.filter((one) => one.kind === "export"));

export interface Step {
  /** When the page heard of it, ms since 1970. */
  at: number;
  step: string;
  share: number;
}

/** The steps of each job that this page has heard of, in order. */
export const steps = signal<ReadonlyMap<string, readonly Step[]>>(new Map());

/** Return the steps with one more, the same ones where it says nothing new. */
export function withStep(known: readonly Step[], next: Step): readonly Step[] {
  const last = known.at(-1);
  if (!next.step) return known;
  return last?.step === next.step ? [...known.slice(0, -1), { ...next, at: last.at }] : [...known, next];
}

function keepStep(id: string, next: Step): void {
  const known = steps.value.get(id) ?? [];
  const more = withStep(known, next);
  if (more !== known) steps.value = new Map(steps.value).set(id, more);
}

/** Follow live messages: progress at once, the rest from the API when a job begins or ends. */
export function followJobs(): () => void {
  const hear = (id: string, percent: number, step: string, seq: number) => {
    keepStep(id, { at: Date.now(), step, share: percent / 100 });
    const job = jobs.get(id);
    const isSame = job !== undefined && percent < 100;
    if (isSame) jobs.patch(id, { progress: percent / 100, step, state: "running" } as Partial<Job>, seq);
    else void jobs.load();
  };
  const ends = [
    link.on("training_progress", (m) =>
      hear(String(m.job_id), Number(m.progress), String(m.current_stage), m.seq ?? 0),
    ),
    link.on("task_update", (m) => hear(String(m.task_id), Number(m.progress), String(m.current_stage), m.seq ?? 0)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Take a job as the API just showed it. */
export function takeJob(job: Job): void {
  jobs.merge(job, link.lastSeq);
}

/** Read one job anew, as after it was asked for. */
export async function readJob(id: string): Promise<void> {
  takeJob((await api.get("/api/v1/jobs/{job_id}", { at: { job_id: id } })).data);
}

/** Return for how many seconds a job has been running by the page's clock, or ran. */
export function elapsed(job: Job, now: number): number {
  if (isOver(job) || !job.started_at) return job.elapsed_s;
  return Math.max(job.elapsed_s, (now - Date.parse(job.started_at)) / 1000);
}
