/** Devices with their state, score and newest readings. */
import { type Signal, signal } from "@preact/signals";
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Device = Answer<"/api/v1/devices">[number];

export interface Newest {
  at: string;
  values: Readonly<Record<string, number | string | boolean | null>>;
  quality: Readonly<Record<string, string>>;
  /** When the page heard of it, ms since 1970. */
  heardAt: number;
}

const MOST = 10_000;

export const devices = new Resource<Device>({
  identify: (device) => device.device_id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/devices", { query: { limit: MOST } })).data,
});

const newest = new Map<string, Signal<Newest | null>>();
const listeners = new Set<(device: string, told: Newest) => void>();

/** Return the newest readings of a device as a signal; subscribe with `link.watch`. */
export function newestOf(device: string): Signal<Newest | null> {
  let found = newest.get(device);
  if (!found) {
    found = signal(null);
    newest.set(device, found);
  }
  return found;
}

const shown = new Map<string, number>();
let syncing: ReturnType<typeof setTimeout> | undefined;
let release: () => void = () => undefined;
/** So long a device must be in view or out of it before the server is told, so that scrolling sends few messages. */
const SETTLED_MS = 150;

/** Hear of a device once a second while it is in view, until what is returned is called. */
export function watchShown(device: string): () => void {
  shown.set(device, (shown.get(device) ?? 0) + 1);
  syncing ??= setTimeout(sync, SETTLED_MS);
  return () => {
    const left = (shown.get(device) ?? 1) - 1;
    if (left > 0) shown.set(device, left);
    else shown.delete(device);
    syncing ??= setTimeout(sync, SETTLED_MS);
  };
}

/** Watch what is in view now before letting go of what was: only the difference is told. */
function sync(): void {
  syncing = undefined;
  const before = release;
  release = link.watch([...shown.keys()]);
  before();
}

/** Hear each update of any watched device. */
export function onNewest(listener: (device: string, told: Newest) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const isKnown = (id: string): boolean => devices.get(id) !== undefined;

interface DeviceUpdate {
  device_id: string;
  timestamp: string;
  values: Newest["values"];
  quality: Newest["quality"];
}

const TOGETHER_MS = 16;

/** Follow live messages; a device that is not known yet makes the list read anew. */
export function followDevices(): () => void {
  let reading: ReturnType<typeof setTimeout> | undefined;
  const readSoon = () => {
    reading ??= setTimeout(() => {
      reading = undefined;
      void devices.load();
    }, 500);
  };
  const queue: { id: string; change: Partial<Device>; seq: number }[] = [];
  let flushing: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    flushing = undefined;
    devices.together(() => {
      for (const { id, change, seq } of queue.splice(0))
        if (!devices.patch(id, change, seq) && !isKnown(id)) readSoon();
    });
  };
  const later = (id: string, change: Partial<Device>, seq: number) => {
    queue.push({ id, change, seq });
    flushing ??= setTimeout(flush, TOGETHER_MS);
  };
  const ends = [
    link.on("device_update", (message) => {
      const told = message.data as unknown as DeviceUpdate;
      const next = { at: told.timestamp, values: told.values, quality: told.quality, heardAt: Date.now() };
      newestOf(told.device_id).value = next;
      for (const listener of listeners) listener(told.device_id, next);
    }),
    link.on("device_status", (message) => {
      const told = message.data as { device_id: string; status: Device["status"]; health_score: number | null };
      later(told.device_id, { status: told.status, health_score: told.health_score }, message.seq ?? 0);
    }),
    link.on("health_score_update", (message) => {
      const told = message.data as { device_id: string; health_score: number | null };
      later(told.device_id, { health_score: told.health_score }, message.seq ?? 0);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
