/** Users and invites, for administrators. */
import { type Answer, api } from "../api/client";
import { Resource } from "./resource";

export type User = Answer<"/api/v1/users">[number];
export type Invite = Answer<"/api/v1/users/invites">[number];
export type Role = User["role"];
export const ROLES: readonly Role[] = ["viewer", "user", "operator", "admin"];
const MOST = 1000;

export const users = new Resource<User>({
  identify: (one) => String(one.id),
  read: async () => (await api.get("/api/v1/users", { query: { limit: MOST } })).data,
});
export const invites = new Resource<Invite>({
  identify: (one) => String(one.id),
  read: async () => (await api.get("/api/v1/users/invites", { query: { limit: MOST } })).data,
});

/** Return what became of an invite. */
export function inviteState(one: Invite, now: number): "open" | "used" | "revoked" | "over" {
  if (one.used_at) return "used";
  if (one.revoked_at) return "revoked";
  return Date.parse(one.expires_at) <= now ? "over" : "open";
}
