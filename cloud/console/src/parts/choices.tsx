/** What is chosen: yes or no, some of many, one of a few. */
import type { Signal } from "@preact/signals";

export function Tick(props: { label: string; isOn: boolean; change: (isOn: boolean) => void; disabled?: boolean }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.isOn}
        disabled={props.disabled}
        onChange={(event) => props.change(event.currentTarget.checked)}
      />
      {props.label}
    </label>
  );
}

/** Some of many; `hint` says what no choice means. */
export function Choices(props: {
  label: string;
  options: readonly (readonly [value: string, text: string])[];
  chosen: Signal<ReadonlySet<string>>;
  hint?: string;
  issue?: string;
}) {
  const toggle = (value: string, isOn: boolean) => {
    const next = new Set(props.chosen.value);
    if (isOn) next.add(value);
    else next.delete(value);
    props.chosen.value = next;
  };
  return (
    <fieldset class="field">
      <legend>{props.label}</legend>
      <div class="choices">
        {props.options.map(([value, text]) => (
          <Tick key={value} label={text} isOn={props.chosen.value.has(value)} change={(isOn) => toggle(value, isOn)} />
        ))}
      </div>
      {(props.issue || props.hint) && (
        <span class={props.issue ? "issue" : "hint"} role={props.issue ? "alert" : undefined}>
          {props.issue || props.hint}
        </span>
      )}
    </fieldset>
  );
}

/** One of a few, as a list with its label; beside it where `isInline`. */
export function Choice(props: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  choose: (value: string) => void;
  isInline?: boolean;
}) {
  return (
    <label class={props.isInline ? "inline-choice" : "field"}>
      <span class={props.isInline ? "quiet" : "label"}>{props.label}</span>
      <select value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
