/** The one live connection of the page, and what keeps the stores fresh: messages, else asking again. */
import { effect } from "@preact/signals";
import { renew } from "../api/client";
import { LiveSocket } from "../live/socket";
import type { Resource } from "./resource";

export const POLL_S = 5;

/** Whether the server answers at all; its plainest question. */
export async function isReachable(): Promise<boolean> {
  try {
    return (await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(3000) })).ok;
  } catch {
    return false;
  }
}

export const link = new LiveSocket(undefined, undefined, renew, isReachable);

interface Used {
  users: number;
  load: () => Promise<void>;
  slowS: number;
  at: number;
}
const inUse = new Set<Used>();

/**
 * Keep something fresh while a page shows it: read now, again when the connection is back, every 5 s while there is
 * no live feed, and every `slowS` seconds where live messages do not tell of all changes (0: never).
 */
export function keepFresh(load: () => Promise<void>, slowS = 0): () => void {
  const used: Used = { users: 1, load, slowS, at: Date.now() };
  inUse.add(used);
  void load();
  return () => inUse.delete(used);
}

/** The same for a store. */
export function keep<T>(resource: Resource<T>, slowS = 0): () => void {
  return keepFresh(() => resource.load(), slowS);
}

function refresh(isDue: (one: Used) => boolean): void {
  for (const one of inUse) {
    if (!isDue(one)) continue;
    one.at = Date.now();
    void one.load();
  }
}

/** Start the feed and the asking; called once somebody is logged in. */
export function startLink(): () => void {
  link.start();
  const ends = [link.on("open", () => refresh(() => true)), link.on("replay_gap", () => refresh(() => true))];
  const timer = setInterval(() => {
    const isLive = link.state.value === "live";
    refresh((one) => Date.now() - one.at >= 1000 * (isLive ? one.slowS || Number.POSITIVE_INFINITY : POLL_S));
  }, 1000);
  const stop = effect(() => {
    document.documentElement.dataset.link = link.state.value;
  });
  return () => {
    clearInterval(timer);
    stop();
    for (const end of ends) end();
    link.stop();
  };
}
