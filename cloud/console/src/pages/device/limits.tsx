/** Limits of one channel, to set and to forget. */
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, useForm } from "../../parts/form";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { isRising, LIMIT_NAMES, type Limits } from "./channel";

interface LimitsDialogProps {
  device: string;
  channel: string;
  unit: string;
  limits: Limits | undefined;
  close: () => void;
  done: () => void;
}

const ANY = between(-1e300, 1e300);

export function LimitsDialog(props: LimitsDialogProps) {
  const first = (name: (typeof LIMIT_NAMES)[number]) => String(props.limits?.[name] ?? "");
  const form = useForm(() => ({
    high_crit: [first("high_crit"), ANY],
    high_warn: [first("high_warn"), ANY],
    low_warn: [first("low_warn"), ANY],
    low_crit: [first("low_crit"), ANY],
  }));
  const at = { device_id: props.device, tag: props.channel };
  const save = async () => {
    const given = LIMIT_NAMES.filter((one) => form.value(one).trim() !== "");
    const body = Object.fromEntries(given.map((one) => [one, Number(form.value(one))]));
    const isDone = await form.submit(async () => {
      if (!isRising(body)) throw new Error(t("device.limits_rise"));
      if (given.length) await api.put("/api/v1/devices/{device_id}/limits/{tag}", { at, body });
      else if (props.limits) await api.delete("/api/v1/devices/{device_id}/limits/{tag}", { at });
      toast("good", t("device.limits_saved"));
    });
    if (isDone) props.done();
  };
  return (
    <Dialog
      title={t("device.limits_of", { channel: props.channel })}
      close={props.close}
      submit={() => void save()}
      isBusy={form.isBusy.value}
    >
      <p class="quiet">{t("device.limits_hint", { unit: props.unit || t("device.no_unit") })}</p>
      <div class="device-two-fields">
        {(["high_warn", "high_crit", "low_warn", "low_crit"] as const).map((one) => (
          <Input key={one} field={form.fields[one]} label={t(`device.${one}`)} type="number" />
        ))}
      </div>
      <FormIssue form={form} />
    </Dialog>
  );
}
