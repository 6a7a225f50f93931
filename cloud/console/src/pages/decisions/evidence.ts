/** What speaks for a request, put in order: sentences, alarms, facts with links, figures side by side. */

export interface Fact {
  kind: string;
  id: string;
  pairs: readonly (readonly [name: string, value: unknown])[];
}

export interface Comparison {
  figure: string;
  before: unknown;
  after: unknown;
}

export interface Evidence {
  says: readonly string[];
  alarms: readonly string[];
  facts: readonly Fact[];
  /** The model that serves against the one that shall. */
  figures: readonly Comparison[];
  rest: readonly (readonly [name: string, value: unknown])[];
}

type Values = Record<string, unknown>;
const SENTENCES = ["note", "reasoning"];
const TAKEN = new Set([...SENTENCES, "alarms", "evidence", "figures"]);

/** Sort the evidence of a request; whatever is unknown is still shown. */
export function sortOut(evidence: Values): Evidence {
  const facts = list(evidence.evidence).filter(isValues).map(factOf);
  const figures = isValues(evidence.figures) ? evidence.figures : {};
  const before = isValues(figures.champion) ? figures.champion : null;
  const after = isValues(figures.challenger) ? figures.challenger : null;
  const plain = Object.entries(figures).filter(([, value]) => !isValues(value) && value !== null);
  return {
    says: SENTENCES.map((name) => evidence[name]).filter((one): one is string => typeof one === "string" && one !== ""),
    alarms: [...list(evidence.alarms).map(String), ...facts.filter((one) => one.kind === "alarm").map((one) => one.id)],
    facts: facts.filter((one) => one.kind !== "alarm"),
    figures: after ? compare(before ?? {}, after) : [],
    rest: [...Object.entries(evidence).filter(([name, value]) => !TAKEN.has(name) && isSaid(value)), ...plain],
  };
}

function compare(before: Values, after: Values): Comparison[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names
    .filter((name) => !isValues(after[name]) && !isValues(before[name]))
    .map((figure) => ({ figure, before: before[figure] ?? null, after: after[figure] ?? null }));
}

function factOf(one: Values): Fact {
  const pairs = isValues(one.facts) ? Object.entries(one.facts).filter(([, value]) => isSaid(value)) : [];
  return { kind: String(one.kind ?? ""), id: String(one.id ?? ""), pairs };
}

/** Return the page that tells more of a fact, null where none does. */
export function pageOf(kind: string, id: string): string | null {
  const part = encodeURIComponent(id.split("/")[0] ?? id);
  switch (kind) {
    case "health_score":
    case "series":
      return `/devices/${part}`;
    case "model":
      return `/models?model=${part}`;
    case "rollout_id":
      return `/models?rollout=${encodeURIComponent(id)}`;
    case "service_load":
      return `/forecast?service=${part}`;
    case "decision_id":
      return "/forecast";
    case "drift_check":
      return "/data";
    default:
      return null;
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSaid(value: unknown): boolean {
  return value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
}
