/** The settings of the installation, a panel a section; what is wrong is said beside the field. */
import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { type Field, Form, FormIssue, Input } from "../../parts/form";
import { number } from "../../parts/number";
import { Panel, Ready } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { may } from "../../stores/session";
import { change, type Known, knownSettings, settings } from "../../stores/settings";
import { toast } from "../../stores/toasts";
import { language, type TextKey, t } from "../../text";
import { settings as words } from "../../text/settings";
import { bySection, changed, checksOf, kindOf, textOf } from "./fields";
import { Own } from "./own";
import { Trial } from "./trial";

/** Left to pages of their own. */
const ELSEWHERE = ["autonomous.level"];

export function Installation() {
  useKept(knownSettings);
  useKept(settings, 60);
  return (
    <Ready of={knownSettings} empty={t("common.none")}>
      <Ready of={settings} empty={t("common.none")}>
        <div class="settings-grid">
          {bySection(knownSettings.list.value.filter((one) => !ELSEWHERE.includes(one.key))).map(
            ([section, knowns]) => (
              <Section key={section} name={section} knowns={knowns} />
            ),
          )}
          <Own />
        </div>
      </Ready>
    </Ready>
  );
}

const wordsOf = (key: string): string => key.replace(".", "_");

/** Return the name of a setting; one that is newer than this console is called by its key. */
export function nameOf(key: string): string {
  const name = `name_${wordsOf(key)}`;
  return name in words.en ? t(`settings.${name}` as TextKey) : key;
}

function saysOf(known: Known): string {
  const name = `says_${wordsOf(known.key)}`;
  const says = language.value !== "en" && name in words.de ? t(`settings.${name}` as TextKey) : known.description;
  if (kindOf(known) !== "number" || known.low === null || known.high === null) return says;
  return `${says} ${t("settings.bounds", { low: number(known.low), high: number(known.high) })}`;
}

function formOf(knowns: readonly Known[]): Form<string> {
  const entries = knowns.map((one) => [one.key, [textOf(kindOf(one), settings.get(one.key)?.value), ...checksOf(one)]]);
  return new Form(Object.fromEntries(entries) as ConstructorParameters<typeof Form<string>>[0]);
}

function Section({ name, knowns }: { name: string; knowns: readonly Known[] }) {
  const form = useSignal(formOf(knowns));
  const changes = changed(
    knowns,
    (key) => form.value.value(key),
    (key) => settings.get(key)?.value,
  );
  const isChanged = changes.length > 0;
  const held = JSON.stringify(knowns.map((one) => settings.get(one.key)?.value));
  useEffect(() => {
    // Somebody else may have changed it: shown, unless somebody edits here.
    if (!isChanged) form.value = formOf(knowns);
  }, [held]);
  const save = async () => {
    const isDone = await form.value.submit(() => change(changes));
    if (!isDone) return;
    toast("good", t("settings.saved"));
    form.value = formOf(knowns);
  };
  const title = `section_${name}` in words.en ? t(`settings.section_${name}` as TextKey) : name;
  const isMine = may("settings:write");
  return (
    <Panel title={title}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {knowns.map((one) => (
          <SettingField key={one.key} known={one} field={form.value.fields[one.key] as Field} isFixed={!isMine} />
        ))}
        <FormIssue form={form.value} />
        {isMine && (
          <div class="row">
            <button type="submit" class="button main-action" disabled={!isChanged || form.value.isBusy.value}>
              {t("common.save")}
            </button>
            {isChanged && (
              <button
                type="button"
                class="button plain"
                onClick={() => {
                  form.value = formOf(knowns);
                }}
              >
                {t("settings.undo")}
              </button>
            )}
            {name === "notifications" && may("admin") && <Trial isChanged={isChanged} />}
          </div>
        )}
      </form>
    </Panel>
  );
}

function SettingField({ known, field, isFixed }: { known: Known; field: Field; isFixed: boolean }) {
  const kind = kindOf(known);
  const shared = { field, label: nameOf(known.key), hint: saysOf(known), disabled: isFixed };
  if (kind === "switch") return <Switch {...shared} />;
  if (kind === "choice") return <Input {...shared} options={known.choices.map((one) => [one, choiceText(one)])} />;
  if (kind === "secret") {
    const isSet = Boolean(settings.get(known.key)?.value);
    const placeholder = isSet ? t("settings.secret_set") : t("settings.secret_unset");
    return <Input {...shared} type="password" autoComplete="off" placeholder={placeholder} />;
  }
  return <Input {...shared} type={kind === "number" ? "number" : "text"} />;
}

function choiceText(one: string): string {
  return `choice_${one}` in words.en ? t(`settings.choice_${one}` as TextKey) : one;
}

function Switch({ field, label, hint, disabled }: { field: Field; label: string; hint: string; disabled: boolean }) {
  const id = useId();
  return (
    <div class="field">
      <span class="check">
        <input
          id={id}
          type="checkbox"
          disabled={disabled}
          checked={field.value.value === "true"}
          aria-describedby={`${id}-more`}
          onChange={(event) => {
            field.value.value = String(event.currentTarget.checked);
          }}
        />
        <label for={id}>{label}</label>
      </span>
      <span id={`${id}-more`} class="hint">
        {hint}
      </span>
    </div>
  );
}
