/** Datasets, and the rows of one of them, read page by page as they come into view. */
import { type Signal, signal } from "@preact/signals";
import { type Answer, api } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Dataset = Answer<"/api/v1/datasets">[number];
export type DatasetDetails = Answer<"/api/v1/datasets/{dataset_id}">;
export type Column = DatasetDetails["columns"][number];
export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export const datasets = new Resource<Dataset>({
  identify: (one) => one.id,
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/datasets", { query: { limit: 1000 } })).data,
});

/** Return the id as lists have it: jobs write it without hyphens. */
export function datasetId(id: string): string {
  const plain = id.replace(/^file_/, "").replaceAll("-", "");
  return /^[0-9a-f]{32}$/.test(plain) ? plain.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : id;
}

export const PAGE = 1000;
type ReadPage = (offset: number, size: number) => Promise<readonly Row[]>;

/** Rows of a dataset by their number; those that are not there yet are read when somebody looks for them. */
export class Rows {
  /** Counts up when more rows are there. */
  readonly version: Signal<number> = signal(0);
  readonly error: Signal<Error | null> = signal(null);
  private readonly pages = new Map<number, readonly Row[]>();
  private readonly asked = new Set<number>();

  constructor(
    readonly total: number,
    private readonly readPage: ReadPage,
  ) {}

  /** Return a row, undefined while it is on its way. */
  at(index: number): Row | undefined {
    const page = Math.floor(index / PAGE);
    const found = this.pages.get(page);
    if (!found && !this.asked.has(page)) void this.read(page);
    return found?.[index - page * PAGE];
  }

  /** Read the first rows one page after another, at most so many. */
  async readFirst(most: number): Promise<void> {
    const pages = Math.ceil(Math.min(most, this.total) / PAGE);
    for (let page = 0; page < pages; page += 1) {
      if (this.error.value) return;
      if (!this.asked.has(page)) await this.read(page);
    }
  }

  /** Return a column's values from the first row on, as far as they are there without a gap. */
  numbers(name: string): number[] {
    const found: number[] = [];
    for (let page = 0; this.pages.has(page); page += 1) {
      for (const row of this.pages.get(page) ?? []) {
        const value = row[name];
        found.push(typeof value === "number" ? value : Number.NaN);
      }
    }
    return found;
  }

  /** Forget what went wrong, so that it is tried again. */
  retry(): void {
    this.error.value = null;
    this.version.value += 1;
  }

  private async read(page: number): Promise<void> {
    this.asked.add(page);
    try {
      this.pages.set(page, await this.readPage(page * PAGE, PAGE));
      this.version.value += 1;
    } catch (error) {
      this.asked.delete(page);
      this.error.value = error instanceof Error ? error : new Error(String(error));
    }
  }
}

export function rowsOf(id: string, total: number): Rows {
  return new Rows(total, async (offset, size) => {
    const query = { size, offset };
    const found = await api.get("/api/v1/datasets/{dataset_id}/sample", { at: { dataset_id: id }, query });
    return found.data.data as unknown as Row[];
  });
}

export interface Extent {
  low: number;
  high: number;
}

/** Return the least and greatest value of each of `count` equal parts, null where a part has none: no peak is lost. */
export function extents(values: readonly number[], count: number): (Extent | null)[] {
  const size = values.length / Math.max(1, Math.min(count, values.length));
  const parts = Math.max(0, Math.min(count, values.length));
  return Array.from({ length: parts }, (_, part) => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let at = Math.floor(part * size); at < Math.floor((part + 1) * size); at += 1) {
      const value = values[at] ?? Number.NaN;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? { low, high } : null;
  });
}
