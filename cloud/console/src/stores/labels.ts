/** Labels: what people said of spans of a device's time. */
import { type Answer, api, send } from "../api/client";
import { link } from "./link";
import { Resource } from "./resource";

export type Label = Answer<"/api/v1/labels">[number];
export const VERDICTS = ["true_fault", "false_alarm"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const labels = new Resource<Label>({
  identify: (one) => String(one.id),
  seqNow: () => link.lastSeq,
  read: async () => (await api.get("/api/v1/labels", { query: { limit: 10_000 } })).data,
});

/** Return the labels of a device with a verdict, the newest first; empty: of all. */
export function chosen(all: readonly Label[], device: string, verdict: string): Label[] {
  return all
    .filter((one) => (!device || one.device_id === device) && (!verdict || one.verdict === verdict))
    .sort((one, other) => Date.parse(other.from) - Date.parse(one.from));
}

/** Keep every row of a CSV text, or none; return how many. */
export async function importLabels(text: string): Promise<number> {
  const { data } = await send<{ imported: number }>("post", "/api/v1/labels/import", {
    text: { body: text, type: "text/csv" },
  });
  return data.imported;
}
