/** Fields for what may be set of an algorithm. */
import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Labelled } from "../../parts/form";
import { problemOf, type Setting } from "../../stores/settings-form";
import { t, word } from "../../text";

interface Props {
  settings: readonly Setting[];
  typed: Signal<Readonly<Record<string, string>>>;
  issue?: string;
}

export function SettingFields({ settings, typed, issue }: Props) {
  return (
    <>
      <div class="fields settings-fields">
        {settings.map((one) => (
          <One
            key={one.name}
            of={one}
            value={typed.value[one.name] ?? one.first}
            change={(value) => {
              typed.value = { ...typed.value, [one.name]: value };
            }}
          />
        ))}
      </div>
      {issue && (
        <p class="field issue" role="alert">
          {issue}
        </p>
      )}
    </>
  );
}

function issueOf(setting: Setting, value: string): string {
  switch (problemOf(setting, value)) {
    case "number":
      return t("common.number_wanted");
    case "least":
      return t("common.at_least", { least: setting.least ?? 0 });
    case "most":
      return t("common.at_most", { most: setting.most ?? 0 });
    default:
      return "";
  }
}

function hintOf(of: Setting): string {
  if (of.kind === "list") return t("models.list_hint");
  if (of.least === null || of.most === null) return "";
  return t("models.from_to", { low: of.least, high: of.most });
}

function One({ of, value, change }: { of: Setting; value: string; change: (value: string) => void }) {
  const id = useId();
  const issue = issueOf(of, value);
  const hint = hintOf(of);
  const shared = {
    id,
    value,
    "aria-invalid": issue ? ("true" as const) : undefined,
    "aria-describedby": issue || hint ? `${id}-more` : undefined,
    onInput: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value),
  };
  const choices = of.kind === "yes_no" ? ["false", "true"] : of.choices;
  return (
    <Labelled id={id} label={word(of.name)} hint={hint} issue={issue}>
      {choices.length ? (
        <select {...shared}>
          {choices.map((one) => (
            <option key={one} value={one}>
              {of.kind === "yes_no" ? t(one === "true" ? "common.yes" : "common.no") : word(one)}
            </option>
          ))}
        </select>
      ) : (
        <input {...shared} type="text" inputMode="decimal" />
      )}
    </Labelled>
  );
}
