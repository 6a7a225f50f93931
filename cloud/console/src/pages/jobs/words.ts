/** How jobs are called, by what they were asked for. */
import { bytes, number } from "../../parts/number";
import type { Job } from "../../stores/jobs";
import { type TextKey, t, word } from "../../text";

type Told = Record<string, unknown>;

/** Return what a word of the API is called here, the word itself where there is no text. */
export function called(prefix: string, value: string): string {
  const key = `work.${prefix}_${value}` as TextKey;
  const text = t(key);
  return text === key ? word(value) : text;
}

export const kindOf = (job: Job): string => called("kind", job.kind);
export const stepOf = (step: string): string => called("step", step);

/** Return what a job is about, in a few words. */
export function subject(job: Job): string {
  const told = { ...(job.result as Told), ...((job.parameters ?? {}) as Told) };
  switch (job.kind) {
    case "report":
      return [called("type", String(told.report_type ?? "")), String(told.format ?? "").toUpperCase()].join(", ");
    case "export":
      return String(told.format ?? "").toUpperCase();
    case "draw_dataset":
      return String(told.name ?? "");
    default:
      return String(told.model ?? "");
  }
}

/** Return where the file of a job is, null where it made none. */
export function fileOf(job: Job): { path: string; name: string; isPage: boolean } | null {
  const told = job.result as Told;
  const path = told.report_path ?? told.export_path;
  if (job.state !== "succeeded" || typeof path !== "string") return null;
  return { path, name: String(told.filename ?? path), isPage: told.format === "html" };
}

/** Return a value of parameters or results as a line of text, empty for what says nothing. */
export function plain(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (Array.isArray(value)) return value.map((one) => (Array.isArray(one) ? one.join("/") : String(one))).join(", ");
  if (typeof value === "object") {
    const inside = Object.entries(value).map(([key, one]) => `${key} ${plain(key, one)}`);
    return inside.join(", ");
  }
  if (name.endsWith("_us") && typeof value === "number") return value ? new Date(value / 1000).toISOString() : "";
  if (name === "size_bytes") return bytes(value);
  return typeof value === "number" ? number(value) : String(value);
}
