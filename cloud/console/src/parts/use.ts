/** Hooks: stores that are kept fresh while a component is shown, and answers that belong to one place only. */
import { type Signal, useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { keep, keepFresh } from "../stores/link";
import type { Resource } from "../stores/resource";

/** Keep a store fresh while this is shown. */
export function useKept<T>(resource: Resource<T>, slowS = 0): Resource<T> {
  useEffect(() => keep(resource, slowS), [resource, slowS]);
  return resource;
}

export interface Asked<T> {
  data: T | null;
  error: Error | null;
  isLoading: boolean;
  reload: () => Promise<void>;
}

/** Ask once for what `inputs` name, again when they change and while the live feed is away; late answers are dropped. */
export function useAsked<T>(ask: (() => Promise<T>) | null, inputs: readonly unknown[], slowS = 0): Asked<T> {
  const state: Signal<{ data: T | null; error: Error | null; isLoading: boolean; key: string }> = useSignal({
    data: null,
    error: null,
    isLoading: ask !== null,
    key: "",
  });
  const key = JSON.stringify(inputs);
  const reload = useCallback(async () => {
    if (!ask) return;
    const isOther = state.value.key !== key;
    state.value = { data: isOther ? null : state.value.data, error: null, isLoading: true, key };
    try {
      const data = await ask();
      if (state.value.key === key) state.value = { data, error: null, isLoading: false, key };
    } catch (error) {
      const shown = error instanceof Error ? error : new Error(String(error));
      if (state.value.key === key) state.value = { ...state.value, error: shown, isLoading: false };
    }
  }, [key, ask === null]);
  useEffect(() => (ask ? keepFresh(reload, slowS) : undefined), [reload, slowS]);
  const { data, error, isLoading } = state.value;
  return { data: state.value.key === key ? data : null, error, isLoading, reload };
}

/** Return the last answer while a newer one is awaited, so that what is shown does not flicker. */
export function useLast<T>(data: T | null): T | null {
  const last = useRef<T | null>(null);
  if (data !== null) last.current = data;
  return last.current;
}
