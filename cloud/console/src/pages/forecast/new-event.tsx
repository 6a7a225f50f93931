/** The dialog that announces a planned event. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { isTime, TimeInput } from "../../parts/time-input";
import { devices } from "../../stores/devices";
import { announce, type NewEvent } from "../../stores/events";
import { newKey } from "../../stores/once";
import { toast } from "../../stores/toasts";
import { type TextKey, t } from "../../text";
import { meant, typed } from "../../time/typed";

/** What each type usually does to the load, as the documents say. */
const TYPES: Record<NewEvent["event_type"], readonly [number, number]> = {
  shift_change: [1.1, 1.5],
  line_startup: [1.5, 3],
  commissioning: [1.5, 4],
  backlog_replay: [3, 10],
  firmware_rollout: [1.2, 2],
  plant_shutdown: [0.05, 0.3],
  scheduled_maintenance: [0.1, 0.5],
  holiday: [0.5, 0.8],
  marketing_campaign: [1.5, 3],
  product_launch: [2, 5],
  flash_sale: [3, 10],
  partnership_announcement: [1.3, 2],
};
const HOUR_MS = 3_600_000;
export function NewEventDialog({ close }: { close: () => void }) {
  const next = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  const start = useSignal(typed(next));
  const form = useForm(() => ({
    event_type: ["shift_change"],
    name: ["", needed, shorter(200)],
    start_time: [typed(next), isTime],
    end_time: [
      typed(next + 2 * HOUR_MS),
      isTime,
      (value) => (meant(value) > meant(start.value) ? "" : t("forecast.end_later")),
    ],
    expected_impact_multiplier: ["", between(0.01, 100)],
    site: ["", shorter(200)],
    source: ["", shorter(200)],
  }));
  start.value = form.value("start_time");
  const key = useMemo(newKey, []);
  const type = form.value("event_type") as NewEvent["event_type"];
  const usual = TYPES[type];
  const send = async () => {
    const text = (name: Parameters<typeof form.value>[0]) => form.value(name).trim();
    const multiplier = text("expected_impact_multiplier");
    const isDone = await form.submit(() =>
      announce(
        {
          event_type: type,
          name: text("name"),
          start_time: new Date(meant(text("start_time"))).toISOString(),
          end_time: new Date(meant(text("end_time"))).toISOString(),
          ...(multiplier ? { expected_impact_multiplier: Number(multiplier) } : {}),
          source: text("source"),
          metadata: text("site") ? { site: text("site") } : {},
        },
        key,
      ),
    );
    if (!isDone) return;
    toast("good", t("forecast.announced"));
    close();
  };
  return (
    <Dialog
      title={t("forecast.announce")}
      close={close}
      submit={() => void send()}
      submitText={t("forecast.announce")}
      isBusy={form.isBusy.value}
    >
      <Input
        field={form.fields.event_type}
        label={t("forecast.type")}
        options={Object.keys(TYPES).map((one) => [one, t(`forecast.type_${one}` as TextKey)])}
      />
      <Input field={form.fields.name} label={t("common.name")} autoFocus />
      <div class="grid pair">
        <TimeInput field={form.fields.start_time} label={t("common.from")} />
        <TimeInput field={form.fields.end_time} label={t("common.to")} />
      </div>
      <Input
        field={form.fields.expected_impact_multiplier}
        label={`${t("forecast.multiplier")} (${t("common.optional")})`}
        hint={t("forecast.usually", { low: usual[0], high: usual[1] })}
        type="number"
      />
      <div class="grid pair">
        <Input
          field={form.fields.site}
          label={t("forecast.site")}
          options={[["", t("forecast.whole_plant")], ...sites().map((one) => [one, one] as const)]}
        />
        <Input field={form.fields.source} label={t("forecast.source")} placeholder={t("forecast.source_example")} />
      </div>
      <FormIssue form={form} />
    </Dialog>
  );
}

/** Gateways and the locations of devices: what an event may be restricted to. */
function sites(): string[] {
  const found = devices.list.value.flatMap((one) => {
    const source = (one.metadata as Record<string, unknown> | undefined)?.source;
    return [typeof source === "string" ? source : "", one.location ?? ""];
  });
  return [...new Set(found)].filter(Boolean).sort();
}
