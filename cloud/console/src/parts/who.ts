/** Who did something, as people say it: the API names credentials, `user:anna`, `key:1a2b3c4d`. */
import { t } from "../text";

/** Return a person's name, `key 1a2b3c4d`, or the part of the cloud that did it by itself. */
export function who(by: string): string {
  const [kind, ...rest] = by.split(":");
  const name = rest.join(":");
  if (kind === "user" && name) return name;
  if (kind === "key" && name) return t("common.key_of", { name });
  return by.replaceAll("_", " ") || "–";
}
