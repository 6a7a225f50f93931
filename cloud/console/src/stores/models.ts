/** Models with their versions, and how two versions compare. */
import { type Answer, api } from "../api/client";
import type { Gateway } from "./gateways";
import { link } from "./link";
import { Resource } from "./resource";

export type Model = Answer<"/api/v1/models">["models"][number];
export type ModelDetails = Answer<"/api/v1/models/{model_id}">;
export type Version = ModelDetails["versions"][number];
export type Algorithm = Answer<"/api/v1/algorithms">[number];
export type Standing = NonNullable<Gateway["models"]>[number];

/** What gateways run. */
export const PACKAGE = "package.lsp";

export const models = new Resource<Model>({
  identify: (one) => one.name,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/models", { query: { status: "all", limit: 1000 } })).data.models,
});

export async function readModel(name: string): Promise<ModelDetails> {
  return (await api.get("/api/v1/models/{model_id}", { at: { model_id: name } })).data;
}

export const algorithms = new Resource<Algorithm>({
  identify: (one) => one.name,
  read: async () => (await api.get("/api/v1/algorithms")).data,
});

export const hasPackage = (version: Version): boolean => PACKAGE in version.files;

/** Return how many bytes a version has: its package where it has one, else all its files. */
export function sizeOf(version: Version): number {
  const files = version.files as Record<string, number>;
  return files[PACKAGE] ?? Object.values(files).reduce((sum, size) => sum + size, 0);
}

export interface Use extends Standing {
  gateway: string;
}

/** Return who runs a model, of one version or of any. */
export function usesOf(gateways: readonly Gateway[], name: string, version?: number): Use[] {
  return gateways.flatMap((gateway) =>
    (gateway.models ?? [])
      .filter((one) => one.name === name && (version === undefined || one.version === version))
      .map((one) => ({ ...one, gateway: gateway.gateway_id })),
  );
}

/** Return the mean of what a row takes where it runs, in µs; null where nobody says. */
export function latency(uses: readonly Use[]): number | null {
  const told = uses.map((one) => one.invoke_us).filter((one): one is number => typeof one === "number" && one > 0);
  return told.length ? told.reduce((sum, one) => sum + one, 0) / told.length : null;
}

export type Direction = "more" | "less" | "";
const MORE = new Set(["accuracy", "f1", "f1_macro", "precision", "recall", "auc_roc", "auc_pr", "r2", "stability"]);
const LESS = new Set(["mae", "rmse", "mape", "brier", "far", "mar", "expected_alarms_per_day", "alarms_per_day"]);
for (const one of ["int8_agreement", "score_separation", "found", "coverage"]) MORE.add(one);
for (const one of ["false_alarms_per_day", "false_alarms", "log_loss", "pinball"]) LESS.add(one);

/** Return whether more or less of a figure is better, "" where neither is. */
export function direction(metric: string): Direction {
  return MORE.has(metric) ? "more" : LESS.has(metric) ? "less" : "";
}

export type Verdict = "better" | "worse" | "higher" | "lower" | "same" | "unknown";

export interface Difference {
  verdict: Verdict;
  /** Of the champion's figure, such as 0.12; null where that is 0. */
  share: number | null;
}

const ALIKE = 0.005;

/** Return in which way a challenger's figure differs from the champion's. */
export function difference(metric: string, champion: unknown, challenger: unknown): Difference {
  if (typeof champion !== "number" || typeof challenger !== "number") return { verdict: "unknown", share: null };
  const change = challenger - champion;
  const share = champion ? Math.abs(change / champion) : null;
  if (change === 0 || (share !== null && share < ALIKE)) return { verdict: "same", share: 0 };
  const wanted = direction(metric);
  if (!wanted) return { verdict: change > 0 ? "higher" : "lower", share };
  return { verdict: change > 0 === (wanted === "more") ? "better" : "worse", share };
}

export interface Pair {
  metric: string;
  champion: number | null;
  challenger: number | null;
}

export interface Comparison {
  pairs: readonly Pair[];
  /** Both judged on the same rows, when the challenger was made. */
  isSameRows: boolean;
  isBetter: boolean | null;
}

type Figures = Readonly<Record<string, unknown>> | null | undefined;

/** Return the figures of two versions side by side: those of the same rows where the challenger was judged beside it. */
export function comparison(champion: Version, challenger: Version): Comparison {
  const told = challenger.comparison as {
    champion?: number;
    champion_metrics?: Figures;
    challenger_metrics?: Figures;
    is_better?: boolean;
  } | null;
  const isSameRows = told?.champion === champion.version && Boolean(told.champion_metrics);
  const before = isSameRows ? told?.champion_metrics : champion.metrics;
  const after = isSameRows ? told?.challenger_metrics : challenger.metrics;
  return {
    pairs: paired(before, after),
    isSameRows,
    isBetter: isSameRows ? (told?.is_better ?? null) : null,
  };
}

function paired(before: Figures, after: Figures): Pair[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter(
    (name) => !SETTINGS.has(name),
  );
  const figure = (of: Figures, name: string) => {
    const value = of?.[name];
    return typeof value === "number" ? value : null;
  };
  return names
    .map((metric) => ({ metric, champion: figure(before, metric), challenger: figure(after, metric) }))
    .filter((one) => one.champion !== null || one.challenger !== null)
    .sort((one, other) => order(one) - order(other));
}

/** What is measured in both comes first, then what can be better or worse. */
function order(one: Pair): number {
  return (one.champion === null || one.challenger === null ? 2 : 0) + (direction(one.metric) ? 0 : 1);
}

/** Settings that trainings keep among their figures. */
const SETTINGS = new Set(["period_s", "seed"]);

/** Return the figures of a version that judge it. */
export function figuresOf(metrics: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(metrics).filter(([name]) => !SETTINGS.has(name));
}

const KEY = ["f1", "recall", "f1_macro", "accuracy", "mae", "false_alarms_per_day", "alarms_per_day", "r2"];
for (const one of ["expected_alarms_per_day", "held_out_alarm_share", "over_share", "stability"]) KEY.push(one);

/** Return the figures of a version that say most, at most so many. */
export function keyFigures(metrics: Readonly<Record<string, number>>, most = 2): [string, number][] {
  const known = KEY.filter((name) => typeof metrics[name] === "number");
  return known.slice(0, most).map((name) => [name, metrics[name] as number]);
}

/** Return the version that serves, null where none does. */
export function championOf(model: ModelDetails): Version | null {
  const alias = (model.aliases as Record<string, number>).champion;
  return model.versions.find((one) => one.version === alias) ?? null;
}

/** Return the version that is on its way, else the newest. */
export function challengerOf(model: ModelDetails): Version | null {
  const alias = (model.aliases as Record<string, number>).challenger;
  const sorted = [...model.versions].sort((one, other) => other.version - one.version);
  return sorted.find((one) => one.version === alias) ?? sorted[0] ?? null;
}
