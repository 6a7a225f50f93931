/** Rollouts: models on their way to gateways, and how far each group is. */
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Rollout = Answer<"/api/v1/rollouts">[number];
export type RolloutStory = Answer<"/api/v1/rollouts/{rollout_id}">;
export type Member = RolloutStory["members"][number];

export const rollouts = new Resource<Rollout>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/rollouts", { query: { limit: 1000 } })).data,
});

const OPEN = new Set(["running", "waiting", "paused"]);
export const isOpen = (one: Rollout): boolean => OPEN.has(one.state);
export const canGoBack = (one: Rollout): boolean => isOpen(one) || one.state === "finished";
export const isAbnormal = (one: Rollout): boolean => one.state === "rolling_back" || one.state === "rolled_back";

export const VERDICTS = ["good", "waiting", "away", "failed", "pending"] as const;
export type Verdict = (typeof VERDICTS)[number];
export type Counts = Readonly<Record<Verdict, number>>;

export interface Group {
  /** Counted from 1. */
  number: number;
  /** How much of the fleet has been told once it has begun, in percent. */
  upTo: number;
  total: number;
  counts: Counts;
  hasBegun: boolean;
}

/** Return how far each group of a rollout is. */
export function groupsOf(story: RolloutStory): Group[] {
  return story.groups.map((upTo, index) => {
    const members = story.members.filter((one) => one.group === index + 1);
    return {
      number: index + 1,
      upTo,
      total: members.length,
      counts: counted(members),
      hasBegun: story.group > index || members.some((one) => one.told_at !== null),
    };
  });
}

function counted(members: readonly Member[]): Counts {
  const counts = { good: 0, waiting: 0, away: 0, failed: 0, pending: 0 };
  for (const one of members) if (one.verdict in counts) counts[one.verdict as Verdict] += 1;
  return counts;
}

/** Return the share of a rollout's devices that are good, 0 to 1. */
export function goodShare(one: Rollout): number {
  const targets = one.targets as Record<string, number>;
  const total = VERDICTS.reduce((sum, verdict) => sum + (targets[verdict] ?? 0), 0);
  return total ? (targets.good ?? 0) / total : 0;
}

/** Return rising percents that a person typed, null where they are not that. */
export function readGroups(text: string): number[] | null {
  const found = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  const isRising = found.every((one, index) => one > (found[index - 1] ?? 0) && one <= 100);
  return found.length && found.length <= 20 && isRising ? found : null;
}
