import { describe, expect, test } from "vitest";
import { again } from "./job-again";
import { elapsed, isOver, type Job, withStep } from "./jobs";

const job = (told: Partial<Job>): Job =>
  ({
    id: "job_1",
    kind: "train",
    state: "queued",
    elapsed_s: 0,
    limit_s: 300,
    started_at: null,
    parameters: {},
    ...told,
  }) as Job;

describe("steps", () => {
  test("a new step is added, the same one only comes further", () => {
    const one = withStep([], { at: 1, step: "reading", share: 0.1 });
    const further = withStep(one, { at: 2, step: "reading", share: 0.2 });
    expect(further).toEqual([{ at: 1, step: "reading", share: 0.2 }]);
    expect(withStep(further, { at: 3, step: "learning", share: 0.3 })).toHaveLength(2);
    expect(withStep(further, { at: 3, step: "", share: 0.3 })).toBe(further);
  });
});

describe("elapsed", () => {
  const began = Date.parse("2026-01-15T10:00:00Z");
  test("a running job's time goes on between two answers, one that ended stands still", () => {
    const running = job({ state: "running", started_at: "2026-01-15T10:00:00Z", elapsed_s: 3 });
    expect(elapsed(running, began + 9_000)).toBe(9);
    expect(elapsed({ ...running, state: "failed" }, began + 9_000)).toBe(3);
    expect(isOver({ ...running, state: "failed" })).toBe(true);
  });
});

describe("the same again", () => {
  test("is the request that a training's parameters came from", () => {
    const parameters = { dataset_id: "d", model: "pump", task: "", test_split: 0.2, seed: 7, settings: { trees: 9 } };
    const request = again(job({ parameters }));
    expect(request?.path).toBe("/api/v1/train");
    expect(request?.body).toMatchObject({
      file_id: "d",
      model_type: "auto",
      settings: { trees: 9 },
      training_params: { test_split: 0.2, random_state: 7, max_training_time: 300 },
    });
  });

  test("of a detector fits the detector", () => {
    const request = again(job({ parameters: { detector: "detector_1", dataset_id: "d", test_split: 0.3 } }));
    expect(request).toMatchObject({ path: "/api/v1/detection/train", body: { detector_id: "detector_1" } });
  });

  test("asks for an export of the same readings", () => {
    const parameters = { format: "csv", start_us: 0, end_us: 1_000_000, devices: [["gw-1", "pump-1"]], tags: ["flow"] };
    expect(again(job({ kind: "export", parameters }))?.body).toEqual({
      format: "csv",
      from: "1970-01-01T00:00:00.000Z",
      to: "1970-01-01T00:00:01.000Z",
      device_ids: ["gw-1/pump-1"],
      metrics: ["flow"],
    });
  });

  test("is not offered where the parameters are not known", () => {
    expect(again(job({}))).toBeNull();
    expect(again(job({ kind: "unheard_of", parameters: { a: 1 } }))).toBeNull();
  });
});
