/** What a recommendation says in the language of the console: the server's words, or sentences by its rule. */
import { number, percent } from "../parts/number";
import type { Recommendation } from "../stores/recommendations";
import { fill, language, type Values } from "../text";
import { adviceWords, healthParts } from "../text/advice-words";
import { length } from "../time/zone";
import { typeSays } from "./alarm";

type Told = Pick<Recommendation, "rule" | "title" | "action" | "device_id" | "evidence">;
type Rule = keyof typeof adviceWords;
type Proof = Readonly<Record<string, unknown>>;

/** Return its title and what to do, both in the server's words where its evidence makes no sentences. */
export function adviceSays(of: Told): { title: string; action: string } {
  const said = { title: of.title, action: of.action };
  if (language.value === "en" || !of.device_id || !Object.hasOwn(adviceWords, of.rule)) return said;
  const rule = of.rule as Rule;
  const facts = factsOf(
    rule,
    of.evidence.map((one) => one.facts as Proof),
  );
  if (!facts || Object.values(facts).includes("")) return said;
  const [title, action] = adviceWords[rule];
  const values: Values = { device: of.device_id, ...facts };
  return { title: fill(title, values), action: fill(action, values) };
}

/** Return what the sentences of a rule need, null or an empty text where the evidence does not tell it. */
function factsOf(rule: Rule, proofs: readonly Proof[]): Values | null {
  const [first] = proofs;
  if (!first) return null;
  switch (rule) {
    case "rising_trend": {
      const hours = first.hours_to_limit;
      return typeof hours === "number" ? { tags: tagsOf(proofs), time: length(hours * 3600) } : null;
    }
    case "critical_health":
      return healthOf(first);
    case "clock_skew":
    case "repeated_buffering":
      return timesOf(proofs);
    case "chattering_alarm":
      return { type: worstOf(proofs) };
    default:
      return { tags: tagsOf(proofs) };
  }
}

function tagsOf(proofs: readonly Proof[]): string {
  const tags = proofs.map((one) => one.tag);
  return tags.every((one) => typeof one === "string" && one) ? [...new Set(tags)].join(", ") : "";
}

function healthOf(proof: Proof): Values | null {
  const part = Object.keys(healthParts).find((name) => name in proof);
  return part && typeof proof.score === "number"
    ? { score: percent(proof.score), part: healthParts[part] ?? "" }
    : null;
}

function timesOf(proofs: readonly Proof[]): Values | null {
  const times = proofs.reduce((sum, one) => sum + occurrences(one), 0);
  return Number.isFinite(times) ? { n: number(times) } : null;
}

function occurrences(proof: Proof): number {
  return typeof proof.occurrences === "number" ? proof.occurrences : Number.NaN;
}

/** Return the type and the channel of the alarm that came most often. */
function worstOf(proofs: readonly Proof[]): string {
  const worst = proofs.reduce((most, one) => (occurrences(one) > occurrences(most) ? one : most));
  if (typeof worst.kind !== "string") return "";
  return worst.tag ? `${typeSays(worst.kind)}: ${worst.tag}` : typeSays(worst.kind);
}
