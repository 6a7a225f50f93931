/** Resource: one kind of thing as the page knows it: a list from the API, changed by live messages, never older. */
import { computed, type Signal, signal } from "@preact/signals";

export type LoadState = "empty" | "loading" | "ready" | "failed";

interface Kept<T> {
  item: T;
  /** Number of the live message that told of it, 0 for what came with a list. */
  seq: number;
}

export interface Sources<T> {
  identify: (item: T) => string;
  /** Read the whole list. */
  read: () => Promise<readonly T[]>;
  /** The number of the newest live message, when a list is asked for. */
  seqNow?: () => number;
}

/**
 * Items by their id. A live message may come before the list that it belongs to: what a list says of an item is
 * not taken where a message with a higher number than that of the request told of it meanwhile.
 */
export class Resource<T> {
  readonly state: Signal<LoadState> = signal<LoadState>("empty");
  readonly error: Signal<Error | null> = signal<Error | null>(null);
  readonly loadedAt: Signal<number> = signal(0);
  private readonly kept = signal<ReadonlyMap<string, Kept<T>>>(new Map());
  private draft: Map<string, Kept<T>> | null = null;
  private readonly gone = new Map<string, number>();
  private pending: Promise<void> | null = null;
  readonly list = computed(() => [...this.kept.value.values()].map((one) => one.item));

  constructor(private readonly sources: Sources<T>) {}

  /** Return one item, undefined where it is not known. */
  get(id: string): T | undefined {
    return this.kept.value.get(id)?.item;
  }

  get size(): number {
    return this.kept.value.size;
  }

  /** Read the list anew; calls at the same time share one request. */
  load(): Promise<void> {
    this.pending ??= this.reload().finally(() => {
      this.pending = null;
    });
    return this.pending;
  }

  private async reload(): Promise<void> {
    const since = this.sources.seqNow?.() ?? 0;
    if (this.state.value === "empty") this.state.value = "loading";
    try {
      this.takeList(await this.sources.read(), since);
      this.error.value = null;
      this.state.value = "ready";
      this.loadedAt.value = Date.now();
    } catch (error) {
      this.error.value = error instanceof Error ? error : new Error(String(error));
      if (this.state.value !== "ready") this.state.value = "failed";
    }
  }

  /** Take a list that was asked for when `since` was the newest live message. */
  takeList(items: readonly T[], since: number): void {
    const fresh = new Map<string, Kept<T>>();
    for (const item of items) {
      const id = this.sources.identify(item);
      const known = this.kept.value.get(id);
      if ((this.gone.get(id) ?? -1) > since) continue;
      fresh.set(id, known && known.seq > since ? known : { item, seq: Math.min(since, known?.seq ?? 0) });
    }
    for (const [id, known] of this.kept.value) if (known.seq > since && !fresh.has(id)) fresh.set(id, known);
    this.kept.value = fresh;
  }

  /** Take what a live message says; older messages than the last one of this item change nothing. */
  merge(item: T, seq: number): boolean {
    const id = this.sources.identify(item);
    const known = this.known.get(id);
    if ((known && known.seq > seq) || (this.gone.get(id) ?? -1) > seq) return false;
    this.change((next) => next.set(id, { item, seq }));
    return true;
  }

  /** Take many at once: one change for those who look. */
  mergeAll(items: readonly T[], seq: number): void {
    this.together(() => {
      for (const item of items) this.merge(item, seq);
    });
  }

  /** Do several changes as one: one copy and one drawing for all of them. */
  together(work: () => void): void {
    if (this.draft) {
      work();
      return;
    }
    this.draft = new Map(this.kept.peek());
    try {
      work();
    } finally {
      this.kept.value = this.draft;
      this.draft = null;
    }
  }

  private get known(): ReadonlyMap<string, Kept<T>> {
    return this.draft ?? this.kept.peek();
  }

  private change(by: (next: Map<string, Kept<T>>) => void): void {
    const next = this.draft ?? new Map(this.kept.peek());
    by(next);
    if (!this.draft) this.kept.value = next;
  }

  /** Change a known item in the way that a live message says. */
  patch(id: string, change: Partial<T>, seq: number): boolean {
    const known = this.known.get(id);
    return known !== undefined && this.merge({ ...known.item, ...change }, seq);
  }

  /** Forget an item; a message with a lower number does not bring it back. */
  remove(id: string, seq: number): void {
    this.gone.set(id, Math.max(seq, this.gone.get(id) ?? 0));
    if (this.known.has(id)) this.change((next) => next.delete(id));
  }

  /** Forget everything, as after a logout. */
  clear(): void {
    this.kept.value = new Map();
    this.gone.clear();
    this.state.value = "empty";
    this.error.value = null;
  }
}
