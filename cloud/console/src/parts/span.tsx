/** A span of time in a form: one of the usual ones up to now, or from and to on the plant's clock. */
import { t } from "../text";
import { meant, typed } from "../time/typed";
import { type Check, type Field, type Form, Input } from "./form";
import { isTime, TimeInput } from "./time-input";

export const SPANS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  quarter: 90 * 86_400_000,
} as const;
export type SpanName = keyof typeof SPANS;
export type SpanField = "span" | "from" | "to";

/** Return the fields of a form for a span that is `first` at the beginning. */
export function spanFields(
  first: SpanName,
  now: number = Date.now(),
): Record<SpanField, readonly [string, ...Check[]]> {
  return { span: [first], from: [typed(now - SPANS[first]), isTime], to: [typed(now), isTime] };
}

/** Return the span that a form says, in ms since 1970. */
export function spanOf(form: Form<SpanField>, now: number = Date.now()): { from: number; to: number } {
  const name = form.value("span");
  if (name in SPANS) return { from: now - SPANS[name as SpanName], to: now };
  return { from: meant(form.value("from")), to: meant(form.value("to")) };
}

export function SpanInputs({
  form,
  names,
}: {
  form: { fields: Record<SpanField, Field> };
  names: readonly SpanName[];
}) {
  const { span, from, to } = form.fields;
  const options = [...names.map((one) => [one, t(`work.span_${one}`)] as const), ["own", t("work.span_own")] as const];
  return (
    <div class="fields">
      <Input field={span} label={t("work.period")} options={options} />
      {span.value.value === "own" && (
        <>
          <TimeInput field={from} label={t("common.from")} />
          <TimeInput field={to} label={t("common.to")} />
        </>
      )}
    </div>
  );
}
