/** The form of one operation: its parameters and fields, and what it answers. */
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Confirm } from "../../parts/confirm";
import { Labelled } from "../../parts/form";
import { Chip } from "../../parts/marks";
import { Panel } from "../../parts/panel";
import { Copyable } from "../../parts/secret";
import { setQuery } from "../../router";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { Answer } from "./answer";
import { type Complaint, complaint, type Input, type Operation, type Place } from "./operations";
import { curlOf, prepare, type Reply, sendIt } from "./request";
import { meant, type Schema, type Schemas } from "./schema";

const PLACES: readonly Place[] = ["path", "query", "header", "body"];
const keyOf = (one: Input) => `${one.place}.${one.name}`;

export function OperationForm({ of, schemas }: { of: Operation; schemas: Schemas }) {
  const texts = useSignal<Record<string, string>>({});
  const files = useSignal<Record<string, File>>({});
  const touched = useSignal<ReadonlySet<string>>(new Set());
  const isAsking = useSignal(false);
  const reply = useSignal<Reply | Error | null>(null);
  const isBusy = useSignal(false);
  const issues = new Map(of.inputs.map((one) => [keyOf(one), issueOf(one, texts.value, files.value, schemas)]));
  const isGood = [...issues.values()].every((one) => one === null);
  const send = async () => {
    isBusy.value = true;
    try {
      reply.value = await sendIt(prepare(of, texts.value, files.value));
    } catch (error) {
      reply.value = error instanceof Error ? error : new Error(String(error));
    }
    isBusy.value = false;
  };
  const press = () => {
    touched.value = new Set(of.inputs.map(keyOf));
    if (!isGood) return;
    if (of.method === "GET") void send();
    else isAsking.value = true;
  };
  const isMine = of.scopes.every(may);
  return (
    <div class="stack operation">
      <button type="button" class="button plain back" onClick={() => setQuery({ op: null })}>
        ‹ {t("explorer.back")}
      </button>
      <Panel title={of.summary || of.path}>
        <p class="row">
          <span class="method">{of.method}</span> <code class="path">{of.path}</code>
        </p>
        {of.description && <p class="prose">{of.description}</p>}
        <p class="row">
          {of.scopes.map((one) => (
            <Chip key={one}>{one}</Chip>
          ))}
          <span class="quiet">
            {t(of.scopes.length === 0 ? "explorer.open" : isMine ? "explorer.may" : "explorer.may_not_long")}
          </span>
        </p>
        <form
          class="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            press();
          }}
        >
          {PLACES.map((place) => {
            const inputs = of.inputs.filter((one) => one.place === place);
            if (!inputs.length) return null;
            return (
              <fieldset key={place} class="inputs">
                <legend>
                  {place === "body" ? `${t("explorer.body")} (${of.media})` : t(`explorer.${place}` as TextKey)}
                </legend>
                {inputs.map((one) => (
                  <OneInput
                    key={one.name}
                    of={one}
                    schemas={schemas}
                    text={texts.value[keyOf(one)] ?? ""}
                    issue={touched.value.has(keyOf(one)) ? textOf(issues.get(keyOf(one)) ?? null) : ""}
                    type={(text) => {
                      texts.value = { ...texts.value, [keyOf(one)]: text };
                      touched.value = new Set(touched.value).add(keyOf(one));
                    }}
                    choose={(file) => {
                      const { [one.name]: _, ...others } = files.value;
                      files.value = file ? { ...others, [one.name]: file } : others;
                    }}
                  />
                ))}
              </fieldset>
            );
          })}
          <div class="row">
            <button type="submit" class="button main-action" disabled={isBusy.value}>
              {t("explorer.send")}
            </button>
            {isBusy.value && <span class="quiet">{t("common.loading")}</span>}
          </div>
        </form>
        {isGood && (
          <div class="field">
            <span class="label">curl</span>
            <Copyable value={curlOf(prepare(of, texts.value, files.value), location.origin)} label="curl" />
          </div>
        )}
      </Panel>
      {reply.value && <Answer of={reply.value} />}
      {isAsking.value && (
        <Confirm
          title={`${of.method} ${of.path}`}
          text={t("explorer.ask_first")}
          action={t("explorer.send")}
          isDanger={of.method === "DELETE"}
          act={send}
          close={() => {
            isAsking.value = false;
          }}
        />
      )}
    </div>
  );
}

function issueOf(
  one: Input,
  texts: Record<string, string>,
  files: Record<string, File>,
  all: Schemas,
): Complaint | null {
  if (one.kind === "file") return one.isNeeded && !files[one.name] ? { at: "", code: "needed", wanted: "" } : null;
  return complaint(one, texts[keyOf(one)] ?? "", all);
}

function textOf(issue: Complaint | null): string {
  if (!issue) return "";
  const text = t(`explorer.issue_${issue.code}` as TextKey, { wanted: issue.wanted });
  return issue.at ? `${issue.at}: ${text}` : text;
}

interface OneProps {
  of: Input;
  schemas: Schemas;
  text: string;
  issue: string;
  type: (text: string) => void;
  choose: (file: File | null) => void;
}

function OneInput({ of, schemas, text, issue, type, choose }: OneProps) {
  const id = useId();
  const shared = {
    id,
    value: text,
    "aria-invalid": issue ? ("true" as const) : undefined,
    "aria-describedby": `${id}-more`,
    "aria-required": of.isNeeded,
    onInput: (event: { currentTarget: { value: string } }) => type(event.currentTarget.value),
  };
  const schema = meant(of.schema, schemas);
  const options = of.kind === "switch" ? ["true", "false"] : of.choices;
  return (
    <Labelled id={id} label={of.isNeeded ? `${of.name} *` : of.name} hint={hintOf(of, schema)} issue={issue}>
      {of.kind === "choice" || of.kind === "switch" ? (
        <select {...shared}>
          <option value="">–</option>
          {options.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      ) : of.kind === "json" ? (
        <textarea {...shared} rows={4} class="mono" spellcheck={false} placeholder={exampleOf(schema)} />
      ) : of.kind === "file" ? (
        <input id={id} type="file" onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)} />
      ) : (
        <input
          {...shared}
          type="text"
          inputMode={of.kind === "number" ? "decimal" : undefined}
          placeholder={placeholderOf(schema)}
        />
      )}
    </Labelled>
  );
}

/** What the document says of an input, with its bounds and what counts where nothing is typed. */
function hintOf(of: Input, schema: Schema): string {
  const range = [schema.minimum ?? schema.exclusiveMinimum, schema.maximum ?? schema.exclusiveMaximum];
  const isPlain = (of.kind === "list" || of.kind === "json") && of.choices.length > 0;
  return [
    of.description,
    isPlain ? of.choices.join(", ") : "",
    range.some((one) => one !== undefined) ? `${range[0] ?? ""} … ${range[1] ?? ""}` : "",
    schema.maxLength === undefined ? "" : t("common.too_long", { most: schema.maxLength }),
    schema.default === undefined || schema.default === null
      ? ""
      : t("explorer.default", { value: JSON.stringify(schema.default) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

function placeholderOf(schema: Schema): string {
  return schema.format === "date-time" ? "2026-01-15T10:30:00Z" : "";
}

function exampleOf(schema: Schema): string {
  const example = schema.example ?? schema.examples?.[0];
  if (example !== undefined) return JSON.stringify(example);
  return schema.type === "array" ? "[]" : "{}";
}
