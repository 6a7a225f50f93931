/** Words and small parts that the pages of models share. */
import { Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { type TextKey, t, word } from "../../text";

/** Return the text of a word of the API in this section, the word itself where there is none. */
export function called(prefix: string, value: string): string {
  const key = `models.${prefix}_${value}` as TextKey;
  const text = t(key);
  return text === key ? word(value) : text;
}

export const metricName = (name: string): string => called("metric", name);

const SHARES = new Set(["accuracy", "precision", "recall", "far", "mar", "base_rate", "over_share", "int8_agreement"]);
SHARES.add("held_out_alarm_share");

/** Return a figure as people read it: shares in percent. */
export function figure(name: string, value: unknown): string {
  return SHARES.has(name) ? percent(value, 1) : number(value, "", 3);
}

/** Return an algorithm's name as words. */
export const algorithmName = (name: string): string => word(name);

const BAD = new Set(["refused", "rolled_back", "off", "failed"]);

/** How a model stands on a device, or what a rollout thinks of it. */
export function Standing({ of, kind, title }: { of: string; kind: "standing" | "verdict"; title?: string }) {
  return (
    <span title={title}>
      <Mark of={BAD.has(of) ? "warning" : of === "away" ? "offline" : "normal"}>{called(kind, of)}</Mark>
    </span>
  );
}
