/** What the page of one device asks the API for, each kept fresh while it is shown. */
import { useEffect, useRef } from "preact/hooks";
import { type Answer, api } from "../../api/client";
import { type Asked, useAsked } from "../../parts/use";
import type { Alarm } from "../../stores/alarms";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import type { Limits } from "./channel";
import { concerns, type Histories, type Label, type PlannedEvent } from "./marked";

export type Facts = Answer<"/api/v1/devices/{device_id}/facts">;
export type Recommendation = Answer<"/api/v1/recommendations">[number];
export type Failure = Answer<"/api/v1/devices/{device_id}/failure">;
export type Gateway = Answer<"/api/v1/gateways/{gateway_id}">;

/** The parts of a health score, and what they were worked out from. */
export interface Health {
  score: number | null;
  band: string;
  is_stale: boolean;
  components: Readonly<Record<string, number>>;
  facts: Readonly<Record<string, unknown>>;
  computed_at: string | null;
}

const MOST_ALARMS = 200;
const SOON_MS = 300;

/** Alarms of a device, over ones too, the newest first; read again when the feed tells of one. */
export function useAlarms(device: string): Asked<readonly Alarm[]> {
  const ask = async () =>
    (await api.get("/api/v1/alerts", { query: { device_id: device, limit: MOST_ALARMS } })).data as readonly Alarm[];
  const asked = useAsked(may("alarms:read") ? ask : null, ["alarms", device], 30);
  useTold(["alert", "alert_acknowledged", "alert_changed"], device, asked.reload);
  return asked;
}

const MOST_STORIES = 12;

/** When those of the newest alarms that came more than once did so, by id; null before that is known. */
export function useHistories(alarms: readonly Alarm[] | null): Histories | null {
  const again = (alarms ?? []).filter((one) => one.occurrences > 1).slice(0, MOST_STORIES);
  const ask = async (): Promise<Histories> => {
    const told = await Promise.all(
      again.map((one) => api.get("/api/v1/alerts/{alert_id}", { at: { alert_id: one.id } }).catch(() => null)),
    );
    return new Map(told.flatMap((one) => (one ? [[one.data.id, one.data.history] as const] : [])));
  };
  const asked = useAsked(alarms ? ask : null, [
    "histories",
    again.map((one) => [one.id, one.occurrences, one.cleared_at]),
  ]);
  const kept = useRef<Histories | null>(null);
  if (asked.data) kept.current = asked.data;
  return kept.current;
}

export function useLabels(device: string): Asked<readonly Label[]> {
  const ask = async () => (await api.get("/api/v1/labels", { query: { device_id: device, limit: 500 } })).data;
  return useAsked(may("alarms:read") ? ask : null, ["labels", device], 60);
}

/** Planned events that are about a device and not over. */
export function useEvents(device: string, gateway: string, place: string): Asked<readonly PlannedEvent[]> {
  const ask = async () => {
    const { data } = await api.get("/api/v1/events/active");
    return data.events.filter((one) => concerns(one, device, gateway, place));
  };
  return useAsked(may("system:read") ? ask : null, ["events", device, gateway, place], 60);
}

/** Facts of a device, its limits among them. */
export function useFacts(device: string): Asked<Facts> {
  const ask = async () => (await api.get("/api/v1/devices/{device_id}/facts", { at: { device_id: device } })).data;
  return useAsked(ask, ["facts", device], 120);
}

export function limitsOf(facts: Facts | null, tag: string): Limits | undefined {
  return facts?.limits.find((one) => one.tag === tag);
}

export function useHealth(device: string): Asked<Health | null> {
  const ask = async () => {
    const { data } = await api.get("/api/v1/health_scores", { query: { device_id: device, details: true } });
    return ((data as Record<string, unknown>)[device] ?? null) as Health | null;
  };
  const asked = useAsked(ask, ["health", device], 30);
  useTold(["health_score_update"], device, asked.reload, 5000);
  return asked;
}

/** How likely the device fails; asked for only where a day of readings is there, as less says nothing. */
export function useFailure(device: string, isDayKnown: boolean): Asked<Failure> {
  const ask = async () => (await api.get("/api/v1/devices/{device_id}/failure", { at: { device_id: device } })).data;
  return useAsked(isDayKnown && may("ml:predict") ? ask : null, ["failure", device], 300);
}

export function useRecommendations(device: string): Asked<readonly Recommendation[]> {
  const ask = async () => (await api.get("/api/v1/recommendations", { query: { device_id: device } })).data;
  return useAsked(ask, ["recommendations", device], 30);
}

export function useGateway(gateway: string): Asked<Gateway> {
  const ask = async () => (await api.get("/api/v1/gateways/{gateway_id}", { at: { gateway_id: gateway } })).data;
  return useAsked(gateway && may("gateways:read") ? ask : null, ["gateway", gateway], 15);
}

/** Ask again soon after the feed told of a device; many messages at a time ask once. */
function useTold(types: readonly string[], device: string, again: () => Promise<void>, soonMs = SOON_MS): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hear = (data: Record<string, unknown> | undefined) => {
      if (data?.device_id !== device) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void again();
      }, soonMs);
    };
    const ends = types.map((type) => link.on(type, (message) => hear(message.data)));
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [device, again]);
}
