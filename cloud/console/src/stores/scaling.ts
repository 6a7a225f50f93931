/** How many instances services have, and what was decided about it. */
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type ServiceStanding = Answer<"/api/v1/scaling/status">["services"][number];
export type ScalingDecision = Answer<"/api/v1/scaling/decisions">["decisions"][number];

export const services = new Resource<ServiceStanding>({
  identify: (one) => one.service_name,
  read: async () => (await api.get("/api/v1/scaling/status")).data.services,
});
export const scalingDecisions = new Resource<ScalingDecision>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/scaling/decisions", { query: { limit: 500 } })).data.decisions,
});

/** Read both anew when the feed tells of a change. */
export function followScaling(): () => void {
  return link.on("*", (message) => {
    if (!message.type.startsWith("scaling")) return;
    void services.load();
    void scalingDecisions.load();
  });
}
