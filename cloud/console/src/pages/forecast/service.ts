/** The services whose load is foretold, as people say them. */
import { type TextKey, t } from "../../text";

export const SERVICES: readonly string[] = ["ingest", "inference", "jobs", "api"];

/** Return the name of a service as people say it; a series keeps its own. */
export function serviceText(name: string): string {
  return SERVICES.includes(name) ? t(`forecast.service_${name}` as TextKey) : name;
}
