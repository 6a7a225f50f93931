/** Details of components as people read them: the unit stands in the name. */
import { bytes, number, percent } from "../../parts/number";
import { t } from "../../text";
import { length } from "../../time/zone";

/** Return the name without its unit, and the value with it. */
export function figure(name: string, value: unknown): [name: string, text: string] {
  const plain = name.replace(/_(ms|bytes|seconds|percent)$/, "").replaceAll("_", " ");
  if (typeof value === "boolean") return [plain, value ? t("common.yes") : t("common.no")];
  if (typeof value === "string" || value === null) return [plain, value ?? "–"];
  if (typeof value !== "number") return [plain, JSON.stringify(value)];
  if (name.endsWith("_ms")) return [plain, number(value, "ms", 3)];
  if (/bytes/.test(name)) return [plain, bytes(value)];
  if (name.endsWith("_seconds")) return [plain, length(value)];
  if (name.endsWith("_share")) return [plain, percent(value, 1)];
  if (name.endsWith("_percent")) return [plain, number(value, "%", 3)];
  return [plain, number(value)];
}
