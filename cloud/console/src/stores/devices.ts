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

/** Hear each update of any watched device. */
export function onNewest(listener: (device: string, told: Newest) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

interface DeviceUpdate {
  device_id: string;
  timestamp: string;
  values: Newest["values"];
  quality: Newest["quality"];
}

/** Follow live messages; a device that is not known yet makes the list read anew. */
export function followDevices(): () => void {
  let reading: ReturnType<typeof setTimeout> | undefined;
  const readSoon = () => {
    reading ??= setTimeout(() => {
      reading = undefined;
      void devices.load();
    }, 500);
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
      const change = { status: told.status, health_score: told.health_score } as Partial<Device>;
      if (!devices.patch(told.device_id, change, message.seq ?? 0)) readSoon();
    }),
    link.on("health_score_update", (message) => {
      const told = message.data as { device_id: string; health_score: number | null };
      devices.patch(told.device_id, { health_score: told.health_score } as Partial<Device>, message.seq ?? 0);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
