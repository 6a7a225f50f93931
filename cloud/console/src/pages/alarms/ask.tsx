/** What is asked before alarms are changed: a comment, for how long, whose hands, what it was. */

import { type Signal, useSignal } from "@preact/signals";
import { Tick } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { Input, needed, shorter, useForm } from "../../parts/form";
import { person } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { change, type Details } from "./change";
import type { Verb } from "./judge";

export interface Asked {
  verb: Verb;
  ids: readonly string[];
  /** What a label begins with. */
  verdict?: "true_fault" | "false_alarm";
}

const SPANS_S = [900, 3_600, 14_400, 43_200] as const;
const USUAL_S = 3_600;
const FIELDS: Record<Verb, readonly ("span" | "to" | "label" | "comment")[]> = {
  acknowledge: ["comment"],
  shelve: ["span", "comment"],
  unshelve: [],
  clear: ["comment"],
  out_of_service: ["comment"],
  return_to_service: [],
  assign: ["to"],
  label: ["label"],
};

/** Whether it is asked about at all; what only brings an alarm back is done at once. */
export const isAsked = (verb: Verb): boolean => FIELDS[verb].length > 0;

interface AskProps {
  asked: Asked;
  close: () => void;
  changed: () => void;
}

export function Ask({ asked, close, changed }: AskProps) {
  const { verb, ids } = asked;
  const fields = FIELDS[verb];
  const isBusy = useSignal(false);
  const span = useSignal(String(USUAL_S));
  const isOneShot = useSignal(false);
  const form = useForm(() => ({
    comment: ["", shorter(2000)],
    to: [verb === "assign" ? (person.value?.name ?? "") : "-", needed, shorter(200)],
    verdict: [asked.verdict ?? "true_fault"],
    kind: ["", shorter(64)],
    note: ["", shorter(1000)],
  }));
  const details = (): Details => {
    const { comment, to, verdict, kind, note } = form.fields;
    if (verb === "assign") return { to: to.value.value.trim() };
    if (verb === "label") {
      return { verdict: verdict.value.value as Details["verdict"], kind: kind.value.value, note: note.value.value };
    }
    const said = { comment: comment.value.value.trim() };
    return verb === "shelve" ? { ...said, for_s: Number(span.value), one_shot: isOneShot.value } : said;
  };
  const submit = async () => {
    if (!form.isGood) return;
    isBusy.value = true;
    const outcome = await change(verb, ids, details());
    isBusy.value = false;
    if (outcome === "refused" || outcome === "not_done") return;
    close();
    changed();
  };
  return (
    <Dialog
      title={t(`alarms.ask_${verb}` as TextKey, { n: ids.length })}
      close={close}
      submit={() => void submit()}
      submitText={t(`alarms.${verb}` as TextKey)}
      isBusy={isBusy.value}
    >
      {(verb === "clear" || verb === "out_of_service") && <p class="quiet">{t(`alarms.about_${verb}` as TextKey)}</p>}
      {fields.includes("span") && <Spans span={span} isOneShot={isOneShot} />}
      {fields.includes("to") && <Input field={form.fields.to} label={t("alarms.assign_to")} autoFocus />}
      {fields.includes("label") && (
        <>
          <Input
            field={form.fields.verdict}
            label={t("alarms.verdict")}
            options={(["true_fault", "false_alarm"] as const).map((one) => [one, t(`alarms.${one}`)])}
          />
          <Input field={form.fields.kind} label={t("alarms.kind")} hint={t("alarms.kind_hint")} autoFocus />
          <Input field={form.fields.note} label={t("alarms.note")} rows={2} />
        </>
      )}
      {fields.includes("comment") && (
        <Input
          field={form.fields.comment}
          label={`${t("common.comment")} (${t("common.optional")})`}
          autoFocus={verb !== "shelve"}
          autoComplete="off"
        />
      )}
    </Dialog>
  );
}

function Spans({ span, isOneShot }: { span: Signal<string>; isOneShot: Signal<boolean> }) {
  return (
    <>
      <fieldset class="spans">
        <legend>{t("alarms.shelve_for")}</legend>
        {SPANS_S.map((one) => (
          <label key={one} class="check">
            <input
              type="radio"
              name="span"
              value={one}
              checked={span.value === String(one)}
              // biome-ignore lint/a11y/noAutofocus: what is chosen, in a dialog that was just asked for
              autoFocus={one === USUAL_S}
              onChange={() => {
                span.value = String(one);
              }}
            />
            {t(`alarms.span_${one}`)}
          </label>
        ))}
      </fieldset>
      <Tick
        label={t("alarms.one_shot")}
        isOn={isOneShot.value}
        change={(isOn) => {
          isOneShot.value = isOn;
        }}
      />
    </>
  );
}
