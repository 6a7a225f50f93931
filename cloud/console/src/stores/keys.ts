/** API keys, for administrators. */
import { type Answer, api, type Body } from "../api/client";
import { Resource } from "./resource";

export type Key = Answer<"/api/v1/keys">[number];
export type Scope = Body<"/api/v1/keys", "post">["scopes"][number];
export const SCOPES: readonly Scope[] = [
  "data:read",
  "data:ingest",
  "alarms:read",
  "alarms:write",
  "tasks:update",
  "devices:write",
  "gateways:read",
  "events:write",
  "ml:predict",
  "ml:anomaly",
  "ml:drift",
  "learning:read",
  "learning:write",
  "models:read",
  "models:write",
  "reports:generate",
  "system:read",
  "settings:write",
  "admin",
];

export const keys = new Resource<Key>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/keys", { query: { limit: 1000 } })).data,
});

/** Return where a key stands; `rotated`: it was exchanged and holds a while longer. */
export function keyState(one: Key, now: number): "good" | "rotated" | "revoked" | "over" {
  if (one.revoked_at) return "revoked";
  if (one.expires_at && Date.parse(one.expires_at) <= now) return "over";
  return one.rotated_at ? "rotated" : "good";
}
