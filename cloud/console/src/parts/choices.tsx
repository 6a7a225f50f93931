/** Boxes to tick: one yes or no, or some of many. */
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
