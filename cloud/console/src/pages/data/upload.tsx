/** Uploads a dataset, and shows how much has gone and what the server says of it. */
import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { type Upload, upload } from "../../api/upload";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, useForm } from "../../parts/form";
import { bytes, number, percent } from "../../parts/number";
import { Progress } from "../../parts/panel";
import { setQuery } from "../../router";
import { type Dataset, datasets } from "../../stores/datasets";
import { link } from "../../stores/link";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

const TEXTS = ["name", "target_column", "text_columns", "description"] as const;

export function UploadDialog({ close }: { close: () => void }) {
  const file = useSignal<File | null>(null);
  const isMissed = useSignal(false);
  const sent = useSignal<number | null>(null);
  const going = useRef<Upload<Dataset> | null>(null);
  const form = useForm(() => ({
    file: [""],
    name: [""],
    target_column: [""],
    text_columns: [""],
    description: [""],
  }));
  const send = async () => {
    const parts = new FormData();
    if (file.value) parts.append("file", file.value);
    for (const name of TEXTS) if (form.value(name).trim()) parts.append(name, form.value(name).trim());
    going.current = upload<Dataset>("/api/v1/datasets", parts, (share) => {
      sent.value = share;
    });
    const made = await going.current.done;
    datasets.merge(made, link.lastSeq);
    toast("good", t("data.uploaded", { name: made.name, n: number(made.n_samples) }));
    setQuery({ dataset: made.id, tab: null });
  };
  const submit = async () => {
    isMissed.value = file.value === null;
    if (!file.value) return;
    const isDone = await form.submit(send);
    sent.value = null;
    if (isDone) close();
  };
  const leave = () => {
    going.current?.cancel();
    close();
  };
  const issue = isMissed.value && !file.value ? t("data.file_needed") : form.fields.file.shownIssue;
  return (
    <Dialog
      title={t("data.upload_title")}
      close={leave}
      submit={() => void submit()}
      submitText={t("data.upload")}
      isBusy={form.isBusy.value}
    >
      <Drop file={file.value} issue={issue} choose={(one) => choose(one)} />
      <div class="fields">
        <Input field={form.fields.name} label={t("common.name")} hint={t("data.name_hint")} />
        <Input field={form.fields.target_column} label={t("data.target_column")} hint={t("data.target_hint")} />
      </div>
      <Input field={form.fields.text_columns} label={t("data.text_columns")} hint={t("data.text_columns_hint")} />
      <Input field={form.fields.description} label={t("data.description")} rows={2} />
      <FormIssue form={form} />
      {sent.value !== null && form.isBusy.value && <Sending share={sent.value} />}
    </Dialog>
  );
  function choose(one: File | null): void {
    file.value = one;
    form.fields.file.value.value = one?.name ?? "";
    form.issue.value = "";
  }
}

function Sending({ share }: { share: number }) {
  const text = share < 1 ? t("data.sending", { share: percent(share) }) : t("data.reading");
  return (
    <div class="stack" role="status">
      <p>{text}</p>
      <Progress share={share} label={text} />
    </div>
  );
}

function Drop({ file, issue, choose }: { file: File | null; issue: string; choose: (file: File | null) => void }) {
  const isOver = useSignal(false);
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t("data.file")}</label>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way beside the input in it */}
      <div
        class={`drop ${isOver.value ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          isOver.value = true;
        }}
        onDragLeave={() => {
          isOver.value = false;
        }}
        onDrop={(event) => {
          event.preventDefault();
          isOver.value = false;
          choose(event.dataTransfer?.files[0] ?? null);
        }}
      >
        {file ? (
          <span class="chosen">
            {file.name} · {bytes(file.size)}
          </span>
        ) : (
          <span class="quiet">{t("data.drop")}</span>
        )}
        <input
          id={id}
          type="file"
          accept=".csv,.json,.jsonl,.ndjson,.parquet,text/csv,application/json"
          aria-invalid={issue ? "true" : undefined}
          aria-describedby={`${id}-more`}
          onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)}
        />
      </div>
      <span id={`${id}-more`} class={issue ? "issue" : "hint"} role={issue ? "alert" : undefined}>
        {issue || t("data.file_hint")}
      </span>
    </div>
  );
}
