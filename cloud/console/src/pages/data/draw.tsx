/** Asks for a dataset out of stored readings: whose, of which tags, from when to when. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Choices } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { type SpanField, SpanInputs, spanFields, spanOf } from "../../parts/span";
import { go } from "../../router";
import { devices } from "../../stores/devices";
import { type Job, takeJob } from "../../stores/jobs";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

const PERIODS = [1, 5, 10, 60, 300, 900, 3600] as const;
const LABELLED = ["exclude", "use", "ignore"] as const;

interface Known {
  source?: string;
  metrics?: readonly string[];
}

/** Return devices as `gateway/device`, with what each is called, and the tags of those that are chosen. */
export function sources(): readonly { id: string; name: string; tags: readonly string[] }[] {
  return devices.list.value.map((one) => {
    const known = one.metadata as Known;
    const own = one.device_id.includes("/") ? one.device_id : `${known.source ?? ""}/${one.device_id}`;
    return { id: own, name: one.device_name, tags: known.metrics ?? [] };
  });
}

export function DrawDialog({ close }: { close: () => void }) {
  const form = useForm<SpanField | "name" | "period_s" | "labels" | "devices" | "start" | "end">(() => ({
    name: ["", needed, shorter(200)],
    period_s: ["0"],
    labels: ["exclude"],
    devices: [""],
    start: [""],
    end: [""],
    ...spanFields("day"),
  }));
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const tags = useSignal<ReadonlySet<string>>(new Set());
  const isMissed = useSignal(false);
  const known = sources();
  const offered = [...new Set(known.filter((one) => chosen.value.has(one.id)).flatMap((one) => one.tags))];
  const ask = async () => {
    const { from, to } = spanOf(form);
    const { data } = await api.post("/api/v1/datasets/from-readings", {
      body: {
        name: form.value("name").trim(),
        devices: [...chosen.value],
        start: new Date(from).toISOString(),
        end: new Date(to).toISOString(),
        tags: [...tags.value].filter((one) => offered.includes(one)),
        period_s: Number(form.value("period_s")),
        labels: form.value("labels") as (typeof LABELLED)[number],
        description: "",
      },
    });
    takeJob(data as Job);
    toast("good", t("data.drawing"));
    go(`/jobs?job=${data.id}`);
  };
  const submit = async () => {
    isMissed.value = chosen.value.size === 0;
    if (isMissed.value) form.fields.name.touched.value = true;
    else await form.submit(ask);
  };
  const issue = isMissed.value && !chosen.value.size ? t("data.devices_needed") : form.fields.devices.shownIssue;
  return (
    <Dialog
      title={t("data.draw_title")}
      close={close}
      submit={() => void submit()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value}
    >
      <Input field={form.fields.name} label={t("common.name")} autoFocus />
      <Choices
        label={t("data.devices")}
        options={known.map((one) => [one.id, one.name])}
        chosen={chosen}
        issue={issue}
      />
      {offered.length > 0 && (
        <Choices
          label={t("data.tags")}
          options={offered.map((one) => [one, one])}
          chosen={tags}
          hint={t("data.tags_hint")}
        />
      )}
      <SpanInputs form={form} names={["hour", "day", "week", "month"]} />
      <div class="fields">
        <Input
          field={form.fields.period_s}
          label={t("data.period")}
          options={[
            ["0", t("data.period_auto")],
            ...PERIODS.map((one) => [String(one), t("data.period_s", { n: one })] as const),
          ]}
        />
        <Input
          field={form.fields.labels}
          label={t("data.labelled")}
          options={LABELLED.map((one) => [one, t(`data.labelled_${one}`)])}
        />
      </div>
      <FormIssue form={form} />
    </Dialog>
  );
}
