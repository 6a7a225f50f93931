/** Alarms as operators see them: sorted by ISA-18.2, changed by live messages. */
import { computed } from "@preact/signals";
import { type Answer, api } from "../api/client";
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

/** Pages overlap, so that an alarm which ends meanwhile does not push another one out of both. */
const PAGE = 1_000;
const OVERLAP = 50;

/** Read by pages: one answer of 5,000 would hold the browser up. */
async function readAll(): Promise<readonly Alarm[]> {
  const all: Alarm[] = [];
  for (let offset = 0; offset < MOST; offset += PAGE - OVERLAP) {
    const { data, total } = await api.get("/api/v1/alerts", { query: { state: LIVE, limit: PAGE, offset } });
    all.push(...data);
    if (data.length < PAGE || offset + data.length >= (total ?? 0)) break;
  }
  return all;
}

/** Return the order of two alarms: worst first, then those nobody saw, then the newest. */
export function worstFirst(one: Alarm, other: Alarm): number {
  return (
    (RANK[one.severity] ?? 3) - (RANK[other.severity] ?? 3) ||
    (STATE_RANK[one.state] ?? 3) - (STATE_RANK[other.state] ?? 3) ||
    later(one.raised_at, other.raised_at)
  );
}

/** Return the order of two times of the API, newest first: ISO 8601 in UTC sorts as text. */
function later(one: string, other: string): number {
  return one === other ? 0 : one < other ? 1 : -1;
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

type News = Partial<Alarm> & { id: string };
const queue: { told: News; seq: number }[] = [];
const wanted = new Set<string>();
let flushing: ReturnType<typeof setTimeout> | undefined;
let fetching: ReturnType<typeof setTimeout> | undefined;
const TOGETHER_MS = 16;
const COMPLETE_MS = 150;
/** More alarms than this at a time are read by one request, and that at most every so many ms. */
const MANY = 20;
const LIST_MS = 3_000;

/** Follow live messages: known alarms are changed in place, new ones shown at once and completed from the API. */
export function followAlarms(): () => void {
  const ends = ["alert", "alert_acknowledged", "alert_changed"].map((type) =>
    link.on(type, (message) => {
      const told = message.data as Partial<Alarm> | undefined;
      if (!told?.id) return;
      queue.push({ told: told as News, seq: message.seq ?? 0 });
      flushing ??= setTimeout(flush, TOGETHER_MS);
    }),
  );
  return () => {
    for (const end of ends) end();
  };
}

/** Take what was told since the last drawing: one change for those who look, however many alarms came. */
function flush(): void {
  flushing = undefined;
  alarms.together(() => {
    for (const { told, seq } of queue.splice(0)) hear(told, seq);
  });
  if (wanted.size) fetching ??= setTimeout(complete, wanted.size > MANY ? LIST_MS : COMPLETE_MS);
}

function hear(told: News, seq: number): void {
  if (told.state === "normal") {
    alarms.remove(told.id, seq);
    wanted.delete(told.id);
    return;
  }
  if (!alarms.patch(told.id, told, seq)) alarms.merge(fromNews(told), seq);
  wanted.add(told.id);
}

function fromNews(told: News): Alarm {
  const raised = told.timestamp ?? new Date().toISOString();
  return { shares: [], raised_at: raised, last_raised_at: raised, chattering: false, stale: false, ...told } as Alarm;
}

async function complete(): Promise<void> {
  const ids = [...wanted];
  wanted.clear();
  fetching = undefined;
  if (ids.length > MANY) await fetchNew(ids);
  else await Promise.all(ids.map(fetchOne));
}

/** Read those of a storm that are only known from messages, by one request: all that were raised since the first. */
async function fetchNew(ids: readonly string[]): Promise<void> {
  const fresh = ids.map((id) => alarms.get(id)).filter((one) => one !== undefined && !one.onset_at);
  const [from] = fresh.map((one) => one?.raised_at ?? "").sort();
  if (!from) return;
  const since = link.lastSeq;
  const query = { state: LIVE, from, limit: PAGE };
  const found = await api.get("/api/v1/alerts", { query }).catch(() => null);
  if (found) takeAll(found.data, since);
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

/** Take many as the API just showed them: one change for those who look. */
export function takeAll(many: readonly Alarm[], since = link.lastSeq): void {
  alarms.together(() => {
    for (const one of many) take(one, since);
  });
}
