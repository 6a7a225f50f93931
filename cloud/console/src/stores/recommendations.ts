/** What the cloud advises to do about devices, the most urgent first. */
import { type Answer, api } from "../api/client";
import { Resource } from "./resource";

export type Recommendation = Answer<"/api/v1/recommendations">[number];

export const recommendations = new Resource<Recommendation>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/recommendations", { query: { limit: 1000 } })).data,
});
