/** The marked period that was chosen on the trend: what it is, and what can be done with it. */

import { told } from "../../chart/lanes";
import type { Period } from "../../chart/marks";
import type { Stretch } from "../../chart/trace";
import { alarmSays, serverSays } from "../../says/alarm";
import type { Alarm } from "../../stores/alarms";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { AlarmActions, type AlarmActs } from "./alarm-list";
import type { Label } from "./marked";

interface ChosenProps {
  period: Period;
  alarm: Alarm | undefined;
  label: Label | undefined;
  acts: AlarmActs;
  zoom: (view: Stretch) => void;
  forget: (label: Label) => void;
  close: () => void;
}

export function Chosen({ period, alarm, label, acts, zoom, forget, close }: ChosenProps) {
  return (
    <section class={`chosen-period ${period.tone}`} aria-label={t("device.chosen")}>
      <div class="grow">
        <b>{told(period)}</b>
        {alarm && <p title={serverSays(alarm) || undefined}>{alarmSays(alarm)}</p>}
        {alarm && <p class="quiet">{word(alarm.state)}</p>}
        {label?.note && <p>{label.note}</p>}
        {label && <p class="quiet">{t("device.labelled_by", { name: label.by })}</p>}
      </div>
      <div class="row">
        <button type="button" class="button" onClick={() => zoom(around(period))}>
          {t("device.zoom_to")}
        </button>
        {alarm && <AlarmActions alarm={alarm} acts={acts} />}
        {label && may("alarms:write") && (
          <button type="button" class="button" onClick={() => forget(label)}>
            {t("device.forget_label")}
          </button>
        )}
        <button type="button" class="button plain" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </section>
  );
}

const LEAST_MS = 10_000;

/** Return a stretch with as much again on both sides. */
export function around(one: Stretch): Stretch {
  const by = Math.max(LEAST_MS, one.to - one.from);
  return { from: one.from - by, to: one.to + by };
}
