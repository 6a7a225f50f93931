/** Jobs and how far they are. */
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Job = Answer<"/api/v1/jobs">[number];

export const jobs = new Resource<Job>({
  identify: (job) => job.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/jobs", { query: { limit: 200 } })).data,
});

export const FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

/** Follow live messages: progress at once, the rest from the API when a job begins or ends. */
export function followJobs(): () => void {
  const hear = (id: string, percent: number, step: string, seq: number) => {
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
