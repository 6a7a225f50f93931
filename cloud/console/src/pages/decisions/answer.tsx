/** The dialog that asks for the reason of an answer, and for how long something is deferred. */
import { Dialog } from "../../parts/dialog";
import { type Check, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { TimeInput } from "../../parts/time-input";
import { type Choice, type Decision, submit } from "../../stores/decisions";
import { type TextKey, t } from "../../text";
import { meant, typed } from "../../time/typed";

const HOUR_MS = 3_600_000;
const MOST_MS = 90 * 24 * HOUR_MS;
const PERIODS: Record<string, number> = { hour: 1, shift: 8, day: 24, week: 168 };

/** A time on the plant's clock that lies ahead. */
export const ahead =
  (mostMs = Number.POSITIVE_INFINITY): Check =>
  (value) => {
    if (!value) return "";
    const ms = meant(value);
    if (!(ms > Date.now())) return t("decisions.time_ahead");
    return ms - Date.now() > mostMs ? t("decisions.until_most") : "";
  };

export function AnswerDialog(props: {
  request: Decision;
  choice: Choice;
  before: number;
  close: () => void;
  onDone: () => void;
}) {
  const { request, choice, close } = props;
  const form = useForm(() => ({
    reason: choice === "approve" ? ["", shorter(2000)] : ["", needed, shorter(2000)],
    period: ["day"],
    time: [typed(Date.now() + 24 * HOUR_MS), ahead(MOST_MS)],
  }));
  const until = () => {
    if (choice !== "defer") return null;
    const hours = PERIODS[form.value("period")];
    return new Date(hours ? Date.now() + hours * HOUR_MS : meant(form.value("time"))).toISOString();
  };
  const send = () =>
    form.submit(async () => {
      const verdict = { choice, reason: form.value("reason").trim(), until: until() };
      close();
      const outcome = await submit(request, verdict, props.before, t(`decisions.${choice}_done` as TextKey));
      if (outcome === "done") props.onDone();
    });
  return (
    <Dialog
      title={t(`decisions.${choice}_title` as TextKey)}
      close={close}
      submit={() => void send()}
      submitText={t(`decisions.${choice}` as TextKey)}
      isBusy={form.isBusy.value}
    >
      <p>{request.title}</p>
      <Input
        field={form.fields.reason}
        label={choice === "approve" ? `${t("common.reason")} (${t("common.optional")})` : t("common.reason")}
        hint={t("decisions.reason_hint")}
        rows={3}
        autoFocus
      />
      {choice === "defer" && (
        <Input
          field={form.fields.period}
          label={t("decisions.until")}
          options={["hour", "shift", "day", "week", "own"].map((one) => [one, t(`decisions.until_${one}` as TextKey)])}
        />
      )}
      {choice === "defer" && form.value("period") === "own" && (
        <TimeInput field={form.fields.time} label={t("decisions.until_time")} />
      )}
      <FormIssue form={form} />
    </Dialog>
  );
}
