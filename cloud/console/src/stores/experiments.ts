/** Experiments: trainings that are compared with each other. */
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Experiment = Answer<"/api/v1/experiments">[number];
export type Comparison = Answer<"/api/v1/experiments/{experiment_id}/compare">;
export type Run = Comparison["runs"][number];

export const experiments = new Resource<Experiment>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/experiments", { query: { limit: 1000 } })).data,
});

export async function compareRuns(id: string, metric: string): Promise<Comparison> {
  const request = { at: { experiment_id: id }, query: { metric } };
  return (await api.get("/api/v1/experiments/{experiment_id}/compare", request)).data;
}

/** Return the figures that any run has, in order of their names. */
export function metricsOf(runs: readonly Run[]): string[] {
  return [...new Set(runs.flatMap((one) => Object.keys(one.metrics as Record<string, number>)))].sort();
}

/** Return how long a run's bar is, 0 to 1: of the greatest value there is. */
export function barShare(value: number | null, runs: readonly Run[]): number {
  const most = Math.max(...runs.map((one) => Math.abs(one.value ?? 0)), 0);
  return value === null || !most ? 0 : Math.abs(value) / most;
}
