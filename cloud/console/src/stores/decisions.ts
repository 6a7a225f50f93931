/** What people have to decide, and what they decided. */
import { computed } from "@preact/signals";
import { type Answer, api, type Body } from "../api/client";
import { ms } from "../time/zone";
import { act, type Outcome } from "./act";
import { link } from "./link";
import { newKey } from "./once";
import { Resource } from "./resource";

export type Decision = Answer<"/api/v1/decisions">[number];
export type Story = Answer<"/api/v1/decisions/{request_id}">;
export type Choice = Decision["options"][number];

const MOST = 1000;
const WAITING: readonly string[] = ["open", "deferred"];
const OVER: readonly string[] = ["approved", "rejected", "expired"];

const list = (states: readonly string[], limit: number) => async () =>
  (await api.get("/api/v1/decisions", { query: { state: states, limit } })).data;

/** What waits for somebody, now or later. */
export const decisions = new Resource<Decision>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: list(WAITING, MOST),
});
/** What is over; read while a page shows it. */
export const decided = new Resource<Decision>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: list(OVER, MOST),
});

export const isPending = (one: Decision): boolean => one.state === "open";
export const isOver = (one: Decision): boolean => OVER.includes(one.state);

/** Return the order of two requests: what is due first, then what came first. */
export function dueFirst(one: Decision, other: Decision): number {
  const due = (of: Decision) => ms(of.due_at ?? of.expires_at ?? "9999-12-31T00:00:00Z");
  return due(one) - due(other) || ms(one.requested_at) - ms(other.requested_at);
}

/** Open requests, the most pressing first. */
export const pending = computed(() => decisions.list.value.filter(isPending).sort(dueFirst));
/** Those that come back by themselves, the next one first. */
export const deferred = computed(() =>
  decisions.list.value
    .filter((one) => one.state === "deferred")
    .sort((one, other) => ms(one.deferred_until) - ms(other.deferred_until)),
);
/** What is over, the newest first. */
export const history = computed(() =>
  [...decided.list.value].sort(
    (one, other) => ms(other.decided_at ?? other.requested_at) - ms(one.decided_at ?? one.requested_at),
  ),
);

/** Follow live messages. */
export function followDecisions(): () => void {
  return link.on("decision_request", (message) => {
    const told = message.data as { request_id: string; state: Decision["state"] };
    decisions.patch(told.request_id, { state: told.state }, message.seq ?? 0);
    void decisions.load();
    if (decided.state.value !== "empty") void decided.load();
  });
}

export async function readStory(id: string): Promise<Story> {
  return (await api.get("/api/v1/decisions/{request_id}", { at: { request_id: id } })).data;
}

/** Take a request as the API just showed it: to where it belongs now. */
export function take(one: Decision, since = link.lastSeq): void {
  if (isOver(one)) {
    decisions.remove(one.id, since);
    if (decided.state.value !== "empty") decided.merge(one, since);
  } else decisions.merge(one, since);
}

export interface Verdict {
  choice: Choice;
  reason: string;
  /** Of a deferral: when it comes back, null for a day. */
  until: string | null;
}

/** Return whether the answers to a request say that this one came through; `before`: how many there were. */
export function cameThrough(story: Pick<Story, "decisions">, verdict: Verdict, before: number): boolean {
  return story.decisions.slice(before).some((one) => one.decision === verdict.choice);
}

/** Say what somebody decided, once; ask the server where its answer never came. */
export function submit(request: Decision, verdict: Verdict, before: number, done: string): Promise<Outcome> {
  const idempotencyKey = newKey();
  const body: Body<"/api/v1/decisions/submit", "post"> = {
    request_id: request.id,
    decision: verdict.choice,
    justification: verdict.reason,
    ...(verdict.until ? { defer_until: verdict.until } : {}),
  };
  return act(
    async () => {
      await api.post("/api/v1/decisions/submit", { body, idempotencyKey });
      take(await readStory(request.id));
    },
    {
      done,
      wasDone: async () => {
        const story = await readStory(request.id);
        take(story);
        return cameThrough(story, verdict, before);
      },
    },
  );
}

/** Put a request for maintenance into the inbox; raise Refused, Unreachable. Return its id. */
export async function askForMaintenance(body: Body<"/api/v1/decisions", "post">, key = newKey()): Promise<string> {
  const { data } = await api.post("/api/v1/decisions", { body, idempotencyKey: key });
  take(data);
  return data.id;
}
