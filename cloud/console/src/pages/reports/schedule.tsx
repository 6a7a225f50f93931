/** When the report of the week is written. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, useForm } from "../../parts/form";
import { useAsked } from "../../parts/use";
import { may } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { type TextKey, t } from "../../text";

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

interface Weekly {
  weeklyDay: string;
  weeklyHour: number;
}

async function read(): Promise<Weekly> {
  const { data } = await api.get("/api/v1/settings");
  return (data as unknown as { reports: Weekly }).reports;
}

export function Schedule() {
  const asked = useAsked(read, ["reports"]);
  const isOpen = useSignal(false);
  const now = asked.data;
  if (!now) return null;
  const isOff = now.weeklyDay === "off";
  const hour = String(now.weeklyHour).padStart(2, "0");
  return (
    <section class="panel schedule-panel" aria-label={t("work.schedule")}>
      <div class="schedule">
        <h2>{t("work.schedule")}</h2>
        <p class={isOff ? "quiet" : ""}>
          {isOff
            ? t("work.schedule_none")
            : t("work.schedule_now", { day: t(`work.${now.weeklyDay}` as TextKey), hour })}
        </p>
        {may("settings:write") && (
          <button
            type="button"
            class="button"
            onClick={() => {
              isOpen.value = true;
            }}
          >
            {t("work.schedule_change")}
          </button>
        )}
      </div>
      {isOpen.value && (
        <Change
          now={now}
          close={() => {
            isOpen.value = false;
            void asked.reload();
          }}
        />
      )}
    </section>
  );
}

function Change({ now, close }: { now: Weekly; close: () => void }) {
  const form = useForm(() => ({ weeklyDay: [now.weeklyDay], weeklyHour: [String(now.weeklyHour)] }));
  const save = () =>
    api.put("/api/v1/settings", {
      body: { reports: { weeklyDay: form.value("weeklyDay"), weeklyHour: Number(form.value("weeklyHour")) } },
    });
  const submit = async () => {
    if (!(await form.submit(save))) return;
    toast("good", t("work.schedule_saved"));
    close();
  };
  const hours = Array.from({ length: 24 }, (_, hour) => [String(hour), `${String(hour).padStart(2, "0")}:00`] as const);
  return (
    <Dialog title={t("work.schedule")} close={close} submit={() => void submit()} isBusy={form.isBusy.value}>
      <p class="quiet">{t("work.schedule_hint")}</p>
      <div class="fields">
        <Input
          field={form.fields.weeklyDay}
          label={t("work.schedule_day")}
          options={[["off", t("work.schedule_off")], ...DAYS.map((one) => [one, t(`work.${one}` as TextKey)] as const)]}
        />
        <Input field={form.fields.weeklyHour} label={t("work.schedule_hour")} options={hours} />
      </div>
      <FormIssue form={form} />
    </Dialog>
  );
}
