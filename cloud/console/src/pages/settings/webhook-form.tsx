/** The dialog that makes or changes a webhook. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { Choices, Tick } from "../../parts/choices";
import { Dialog } from "../../parts/dialog";
import { type Check, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { newKey } from "../../stores/once";
import { toast } from "../../stores/toasts";
import { EVENTS, type Webhook, type WebhookBody, webhooks } from "../../stores/webhooks";
import { type TextKey, t, word } from "../../text";

const isTarget: Check = (value) => (/^(https?:\/\/|mailto:)\S+$/.test(value) ? "" : t("settings.target_form"));
const SEVERITIES = ["", "info", "warning", "critical"] as const;

export function WebhookForm(props: {
  of: Webhook | null;
  close: () => void;
  made: (name: string, secret: string) => void;
}) {
  const { of, close } = props;
  const events = useSignal<ReadonlySet<string>>(new Set(of?.events ?? []));
  const isOn = useSignal(of?.enabled ?? true);
  const key = useMemo(newKey, []);
  const form = useForm(() => ({
    name: [of?.name ?? "", needed, shorter(200)],
    url: [of?.url ?? "", needed, shorter(2000), isTarget],
    format: [of?.format ?? "json"],
    severity: [of?.severity ?? ""],
    devices: [of?.devices.join(", ") ?? ""],
  }));
  const body = (): WebhookBody => ({
    name: form.value("name").trim(),
    url: form.value("url").trim(),
    format: form.value("format") as WebhookBody["format"],
    events: EVENTS.filter((one) => events.value.has(one)),
    severity: (form.value("severity") || null) as WebhookBody["severity"],
    devices: form
      .value("devices")
      .split(/[,\s]+/)
      .filter(Boolean),
    enabled: isOn.value,
  });
  const save = async () => {
    const isDone = await form.submit(async () => {
      if (of) await api.put("/api/v1/webhooks/{webhook_id}", { at: { webhook_id: of.id }, body: body() });
      else {
        const { data } = await api.post("/api/v1/webhooks", { body: body(), idempotencyKey: key });
        props.made(data.name, data.secret);
      }
      await webhooks.load();
    });
    if (!isDone) return;
    toast("good", t("settings.saved"));
    close();
  };
  return (
    <Dialog
      title={of ? of.name : t("settings.new_webhook")}
      close={close}
      submit={() => void save()}
      isBusy={form.isBusy.value}
      isWide
    >
      <div class="grid">
        <Input field={form.fields.name} label={t("common.name")} autoFocus />
        <Input field={form.fields.url} label={t("settings.target")} hint={t("settings.target_form")} type="url" />
        <Input
          field={form.fields.format}
          label={t("settings.format")}
          options={(["json", "slack", "email"] as const).map((one) => [one, t(`settings.format_${one}` as TextKey)])}
        />
        <Input
          field={form.fields.severity}
          label={t("settings.least")}
          options={SEVERITIES.map((one) => [one, one ? word(one) : t("settings.any_severity")])}
        />
      </div>
      <Choices
        label={t("settings.events")}
        hint={t("settings.events_hint")}
        options={EVENTS.map((one) => [one, one])}
        chosen={events}
      />
      <Input field={form.fields.devices} label={t("settings.devices")} hint={t("settings.devices_hint")} />
      <Tick
        label={t("settings.enabled")}
        isOn={isOn.value}
        change={(on) => {
          isOn.value = on;
        }}
      />
      <FormIssue form={form} />
    </Dialog>
  );
}
