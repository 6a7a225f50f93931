/** Alarms as operators see them: sorted by ISA-18.2, changed by live messages. */
import { computed } from "@preact/signals";
import { type Answer, api } from "../api/client";
import { ms } from "../time/zone";
import { link } from "./link";
import { Resource } from "./resource";

export type Alarm = Answer<"/api/v1/alerts">[number];
export type Severity = "critical" | "warning" | "info";

const LIVE = ["unack_active", "ack_active", "unack_cleared", "shelved", "out_of_service"];
const MOST = 5000;
const RANK: Record<string, number> = { critical: 0, warning: 1, info: 2 };
const STATE_RANK: Record<string, number> = { unack_active: 0, ack_active: 1, unack_cleared: 2 };

/** Live alarms: what is not over; the worst 5,000 at most. */
export const alarms = new Resource<Alarm>({
  identify: (alarm) => alarm.id,
  seqNow: () => link.lastSeq,
  read: readAll,
});

async function readAll(): Promise<readonly Alarm[]> {
  return (await api.get("/api/v1/alerts", { query: { state: LIVE, limit: MOST } })).data;
}

/** Return the order of two alarms: worst first, then those nobody saw, then the newest. */
export function worstFirst(one: Alarm, other: Alarm): number {
  return (
    (RANK[one.severity] ?? 3) - (RANK[other.severity] ?? 3) ||
    (STATE_RANK[one.state] ?? 3) - (STATE_RANK[other.state] ?? 3) ||
    ms(other.raised_at) - ms(one.raised_at)
  );
}

export const isHidden = (alarm: Alarm): boolean => alarm.state === "shelved" || alarm.state === "out_of_service";
export const isOver = (alarm: Alarm): boolean => alarm.state === "normal";
export const isUnacknowledged = (alarm: Alarm): boolean => alarm.state.startsWith("unack");

/** Alarms in sight, sorted. */
export const inSight = computed(() =>
  alarms.list.value.filter((one) => !isHidden(one) && !isOver(one)).sort(worstFirst),
);
/** How many nobody has seen, by severity. */
export const unacknowledged = computed(() => {
  const counts: Record<Severity, number> = { critical: 0, warning: 0, info: 0 };
  for (const one of inSight.value) if (isUnacknowledged(one)) counts[one.severity as Severity] += 1;
  return counts;
});

const wanted = new Set<string>();
let fetching: ReturnType<typeof setTimeout> | undefined;

/** Follow live messages: known alarms are changed in place, new ones shown at once and completed from the API. */
export function followAlarms(): () => void {
  const ends = ["alert", "alert_acknowledged", "alert_changed"].map((type) =>
    link.on(type, (message) => {
      const told = message.data as Partial<Alarm> & { id?: string };
      if (!told?.id) return;
      const seq = message.seq ?? 0;
      if (told.state === "normal") alarms.remove(told.id, seq);
      else if (!alarms.patch(told.id, told, seq)) alarms.merge(fromNews(told), seq);
      wanted.add(told.id);
      fetching ??= setTimeout(complete, 150);
    }),
  );
  return () => {
    for (const end of ends) end();
  };
}

function fromNews(told: Partial<Alarm>): Alarm {
  const raised = told.timestamp ?? new Date().toISOString();
  return { shares: [], raised_at: raised, last_raised_at: raised, chattering: false, stale: false, ...told } as Alarm;
}

async function complete(): Promise<void> {
  const ids = [...wanted];
  wanted.clear();
  fetching = undefined;
  if (ids.length > 20) {
    await alarms.load();
    return;
  }
  await Promise.all(ids.map(fetchOne));
}

async function fetchOne(id: string): Promise<void> {
  const since = link.lastSeq;
  const found = await api.get("/api/v1/alerts/{alert_id}", { at: { alert_id: id } }).catch(() => null);
  if (found) take(found.data as Alarm, since);
}

/** Take an alarm as the API just showed it; one that is over leaves the list. */
export function take(alarm: Alarm, since = link.lastSeq): void {
  if (isOver(alarm)) alarms.remove(alarm.id, since);
  else alarms.merge(alarm, since);
}
