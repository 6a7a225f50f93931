/** What people have to decide. */
import { computed } from "@preact/signals";
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Decision = Answer<"/api/v1/decisions">[number];

export const decisions = new Resource<Decision>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/decisions", { query: { limit: 200 } })).data,
});

export const isPending = (one: Decision): boolean => one.state === "open" || one.state === "deferred";
export const pending = computed(() => decisions.list.value.filter(isPending));

/** Follow live messages. */
export function followDecisions(): () => void {
  return link.on("decision_request", (message) => {
    const told = message.data as { request_id: string; state: Decision["state"] };
    decisions.patch(told.request_id, { state: told.state }, message.seq ?? 0);
    void decisions.load();
  });
}
