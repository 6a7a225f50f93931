/** Planned events: what people announce that the past cannot know. */
import { type Answer, api, type Body } from "../api/client";
import { act, type Outcome } from "./act";
import { newKey } from "./once";
import { Resource } from "./resource";

export type PlannedEvent = Answer<"/api/v1/events/active">["events"][number];
export type NewEvent = Body<"/api/v1/events", "post">;

export const events = new Resource<PlannedEvent>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/events/active")).data.events,
});

/** Announce one; raise Refused, Unreachable. */
export async function announce(event: NewEvent, key = newKey()): Promise<void> {
  await api.post("/api/v1/events", { body: event, idempotencyKey: key });
  await events.load();
}

/** Take one back: forecasts do without it at once. */
export function cancelEvent(id: string, done: string): Promise<Outcome> {
  return act(
    async () => {
      await api.delete("/api/v1/events/{event_id}", { at: { event_id: id } });
      await events.load();
    },
    {
      done,
      wasDone: async () => {
        await events.load();
        return events.get(id) === undefined;
      },
    },
  );
}
