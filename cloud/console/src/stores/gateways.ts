/** Gateways: who is there, what each has made and where it is. */
import { type Answer, api } from "../api/client";
import { Resource } from "./resource";

export type Gateway = Answer<"/api/v1/gateways">[number];

export const gateways = new Resource<Gateway>({
  identify: (one) => one.gateway_id,
  read: async () => (await api.get("/api/v1/gateways", { query: { limit: 1000 } })).data,
});
