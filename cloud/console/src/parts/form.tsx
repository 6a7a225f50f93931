/** Forms: fields that say at once what is wrong with them, and show the server's word beside the field. */
import { type Signal, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useMemo } from "preact/hooks";
import { Refused } from "../api/errors";
import { issueOf, reason } from "../says/refusal";
import { t } from "../text";

export type Check = (value: string) => string;

export const needed: Check = (value) => (value.trim() ? "" : t("common.required"));
export const between =
  (least: number, most: number): Check =>
  (value) => {
    if (!value.trim()) return "";
    const number = Number(value);
    if (!Number.isFinite(number)) return t("common.number_wanted");
    if (number < least) return t("common.at_least", { least });
    return number > most ? t("common.at_most", { most }) : "";
  };
export const shorter =
  (most: number): Check =>
  (value) =>
    value.length > most ? t("common.too_long", { most }) : "";

/** One value of a form; touched once somebody left it, told: what the server said of this very value. */
export class Field {
  readonly value: Signal<string>;
  readonly touched = signal(false);
  private readonly told = signal({ value: "", issue: "" });

  constructor(
    readonly name: string,
    first: string,
    private readonly checks: readonly Check[] = [],
  ) {
    this.value = signal(first);
  }

  get issue(): string {
    const value = this.value.value;
    if (this.told.value.issue && this.told.value.value === value) return this.told.value.issue;
    return this.checks.map((check) => check(value)).find(Boolean) ?? "";
  }

  /** What is shown beside it: nothing before somebody was there. */
  get shownIssue(): string {
    return this.touched.value || this.told.value.issue ? this.issue : "";
  }

  tell(issue: string): void {
    this.told.value = { value: this.value.value, issue };
  }
}

export class Form<N extends string> {
  readonly isBusy = signal(false);
  /** What the server says that belongs to no field. */
  readonly issue = signal("");
  readonly fields: Record<N, Field>;

  constructor(fields: Record<N, readonly [first: string, ...checks: Check[]]>) {
    const made = Object.entries(fields).map(([name, value]) => {
      const [first, ...checks] = value as readonly [string, ...Check[]];
      return [name, new Field(name, first, checks)];
    });
    this.fields = Object.fromEntries(made) as Record<N, Field>;
  }

  value(name: N): string {
    return this.fields[name].value.value;
  }

  get all(): readonly Field[] {
    return Object.values(this.fields);
  }

  get isGood(): boolean {
    return this.all.every((one) => !one.issue);
  }

  /** Do the work if all fields are good; a refusal goes to its fields. Return whether it was done. */
  async submit(work: () => Promise<unknown>): Promise<boolean> {
    for (const one of this.all) {
      one.touched.value = true;
      // What the server said of one field may have been about another one that was changed since.
      one.tell("");
    }
    this.issue.value = "";
    if (!this.isGood || this.isBusy.value) return false;
    this.isBusy.value = true;
    try {
      await work();
      return true;
    } catch (error) {
      this.refuse(error);
      return false;
    } finally {
      this.isBusy.value = false;
    }
  }

  /** Show an error: beside the fields it names, else for the whole form. */
  refuse(error: unknown): void {
    if (!(error instanceof Error)) throw error;
    let isPlaced = false;
    if (error instanceof Refused) {
      for (const one of this.all) {
        const issue = issueOf(error, one.name);
        if (issue) one.tell(issue);
        isPlaced ||= Boolean(issue);
      }
    }
    if (!isPlaced) this.issue.value = reason(error);
  }
}

/** Make a form once for a component. */
export function useForm<N extends string>(fields: () => Record<N, readonly [string, ...Check[]]>): Form<N> {
  return useMemo(() => new Form(fields()), []);
}

interface InputProps {
  field: Field;
  label: string;
  hint?: string;
  type?: "text" | "password" | "email" | "number" | "search" | "url";
  options?: readonly (readonly [value: string, text: string])[];
  rows?: number;
  autoFocus?: boolean;
  autoComplete?: string;
  disabled?: boolean;
  placeholder?: string;
  step?: string;
}

/** A labelled input, a list where `options` are given, a text area where `rows` are. */
export function Input(props: InputProps) {
  const { field } = props;
  const id = useId();
  const issue = field.shownIssue;
  const shared = {
    id,
    name: field.name,
    value: field.value.value,
    disabled: props.disabled,
    "aria-invalid": issue ? ("true" as const) : undefined,
    "aria-describedby": issue || props.hint ? `${id}-more` : undefined,
    onInput: (event: { currentTarget: { value: string } }) => {
      field.value.value = event.currentTarget.value;
    },
    onBlur: () => {
      field.touched.value = true;
    },
  };
  return (
    <Labelled id={id} label={props.label} hint={props.hint} issue={issue}>
      {props.options ? (
        <select {...shared}>
          {props.options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      ) : props.rows ? (
        <textarea {...shared} rows={props.rows} placeholder={props.placeholder} />
      ) : (
        <input
          {...shared}
          type={(props.type === "number" ? "text" : (props.type ?? "text")) as "text"}
          inputMode={props.type === "number" ? "decimal" : undefined}
          autoComplete={props.autoComplete}
          // biome-ignore lint/a11y/noAutofocus: the first field of a dialog that was just asked for
          autoFocus={props.autoFocus}
          placeholder={props.placeholder}
          step={props.step}
        />
      )}
    </Labelled>
  );
}

export function Labelled(props: {
  id: string;
  label: string;
  hint?: string;
  issue?: string;
  children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children}
      {(props.issue || props.hint) && (
        <span id={`${props.id}-more`} class={props.issue ? "issue" : "hint"} role={props.issue ? "alert" : undefined}>
          {props.issue || props.hint}
        </span>
      )}
    </div>
  );
}

export function FormIssue({ form }: { form: Form<string> }) {
  return form.issue.value ? (
    <p class="field issue" role="alert">
      {form.issue.value}
    </p>
  ) : null;
}
