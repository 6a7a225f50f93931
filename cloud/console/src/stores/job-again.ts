/** How a job is asked for again: the request of the API that its parameters came from. */
import { api } from "../api/client";
import type { Job } from "./jobs";

export interface Request {
  path:
    | "/api/v1/train"
    | "/api/v1/detection/train"
    | "/api/v1/models/retrain"
    | "/api/v1/datasets/from-readings"
    | "/api/v1/reports/generate"
    | "/api/v1/export"
    | "/api/v1/autonomous/detect";
  /** Who may ask. */
  scope: string;
  body: Record<string, unknown>;
}

type Told = Record<string, unknown>;
const iso = (us: unknown): string => new Date(Number(us) / 1000).toISOString();

const REQUESTS: Record<string, (told: Told, job: Job) => Request> = {
  train: (told, job) => (told.detector ? detector(told) : training(told, job)),
  retrain: (told) => ({
    path: "/api/v1/models/retrain",
    scope: "admin",
    body: {
      model_name: told.model,
      training_days: told.days,
      devices: told.devices,
      tags: told.tags,
      algorithm: told.algorithm,
    },
  }),
  draw_dataset: (told) => ({
    path: "/api/v1/datasets/from-readings",
    scope: "learning:write",
    body: {
      name: told.name,
      devices: told.devices,
      start: iso(told.start_us),
      end: iso(told.end_us),
      tags: told.tags,
      period_s: told.period_s,
      labels: told.labels,
      description: told.description,
    },
  }),
  report: (told) => ({
    path: "/api/v1/reports/generate",
    scope: "reports:generate",
    body: {
      report_type: told.report_type,
      format: told.format,
      time_range_start: told.start,
      time_range_end: told.end,
      include_charts: told.has_charts,
      parameters: { device_id: told.device, gateway_id: told.gateway, top: told.top },
    },
  }),
  export: (told) => ({
    path: "/api/v1/export",
    scope: "reports:generate",
    body: {
      format: told.format,
      from: iso(told.start_us),
      to: iso(told.end_us),
      device_ids: (told.devices as readonly string[][]).map((pair) => pair.join("/")),
      metrics: told.tags,
    },
  }),
  autonomous: (told) => ({
    path: "/api/v1/autonomous/detect",
    scope: "ml:anomaly",
    body: { dataset_id: told.dataset_id, contamination: told.contamination, most: told.most },
  }),
};

function training(told: Told, job: Job): Request {
  return {
    path: "/api/v1/train",
    scope: "learning:write",
    body: {
      file_id: told.dataset_id,
      model_name: told.model,
      model_type: told.task || "auto",
      algorithm: told.algorithm,
      target_column: told.target,
      features: told.features,
      group_column: told.group,
      settings: told.settings,
      training_params: {
        test_split: told.test_split,
        random_state: told.seed,
        max_training_time: Math.max(1, Math.round(job.limit_s)),
      },
      save_model: told.save,
      experiment_id: told.experiment,
    },
  };
}

function detector(told: Told): Request {
  return {
    path: "/api/v1/detection/train",
    scope: "learning:write",
    body: {
      detector_id: told.detector,
      dataset_id: told.dataset_id,
      validation_split: told.test_split,
      cross_validation: told.cross_validation,
      save_model: told.save,
      experiment_id: told.experiment,
    },
  };
}

/** Return the request that asks for the same again, null where the API does not tell what was asked. */
export function again(job: Job): Request | null {
  const told = job.parameters as Told | undefined;
  const request = REQUESTS[job.kind];
  return told && request && Object.keys(told).length ? request(told, job) : null;
}

/** Ask for it. */
export function askAgain(request: Request): Promise<unknown> {
  return api.post(request.path, { body: request.body as never });
}
