/** Webhooks, their deliveries, and what reached nobody; for administrators. */
import { type Answer, api, type Body } from "../api/client";
import { Resource } from "./resource";

export type Webhook = Answer<"/api/v1/webhooks">[number];
export type WebhookBody = Body<"/api/v1/webhooks", "post">;
export type Delivery = Answer<"/api/v1/webhooks/{webhook_id}/deliveries">[number];
export type DeadLetter = Answer<"/api/v1/admin/dlq">[number];
export type Attempt = Answer<"/api/v1/notifications/test", "post">;
export type EventName = Webhook["events"][number];
export const EVENTS: readonly EventName[] = [
  "alarm.raised",
  "alarm.acknowledged",
  "alarm.changed",
  "device.status",
  "decision.request",
  "model.retrained",
  "prediction.anomaly",
  "scaling.pending",
  "scaling.executed",
  "scaling.failed",
  "scaling.rolled_back",
];

export const webhooks = new Resource<Webhook>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/webhooks", { query: { limit: 1000 } })).data,
});
export const deadLetters = new Resource<DeadLetter>({
  identify: (one) => one.id,
  read: async () => (await api.get("/api/v1/admin/dlq", { query: { limit: 1000 } })).data,
});
