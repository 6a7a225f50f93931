/** An input for a time on the plant's clock: inputs of browsers show twelve hours in some languages, and their zone. */
import { t } from "../text";
import { meant, TIME_FORM } from "../time/typed";
import { zone } from "../time/zone";
import { type Check, type Field, Input } from "./form";

/** What was typed must be a time. */
export const isTime: Check = (text) =>
  Number.isFinite(meant(text)) ? "" : t("common.time_wanted", { example: TIME_FORM });

export function TimeInput({ field, label, hint }: { field: Field; label: string; hint?: string }) {
  return <Input field={field} label={label} placeholder={TIME_FORM} hint={hint ?? zone.value} />;
}
