/** Drift checks: what each says in one word, the corrected verdict before the plain one. */
import { type Answer, api } from "../api/client";
import { Resource } from "./resource";

export type DriftCheck = Answer<"/api/v1/ml/drift_checks">[number];
export type DriftVerdict = "lasting" | "found" | "plain" | "no" | "few";

export const driftChecks = new Resource<DriftCheck>({
  identify: (one) => String(one.id),
  read: async () => (await api.get("/api/v1/ml/drift_checks", { query: { limit: 1000 } })).data,
});

/** Return what a check says: the plain test alone cries drift on any series with a memory. */
export function verdictOf(check: Omit<DriftCheck, "id" | "at" | "origin"> | DriftCheck): DriftVerdict {
  if (check.is_lasting) return "lasting";
  if (check.corrected?.drift_detected) return "found";
  if (!check.recent_count || !check.baseline_count || (!check.corrected && !check.drift_detected)) return "few";
  return check.drift_detected ? "plain" : "no";
}

const RANK: Record<DriftVerdict, number> = { lasting: 0, found: 1, plain: 2, no: 3, few: 4 };

/** Return a number to sort by: worst first. */
export const rankOf = (check: DriftCheck): number => RANK[verdictOf(check)];
