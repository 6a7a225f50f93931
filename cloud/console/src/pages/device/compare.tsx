/** What the trend is compared with: the same channels a day or a week earlier, or those of another device. */
import { useId } from "preact/hooks";
import { setQuery } from "../../router";
import { devices } from "../../stores/devices";
import { t } from "../../text";
import { channelsOf } from "./channel";

export interface Comparison {
  /** "", "1d" or "7d". */
  earlier: string;
  /** Another device, "" for none. */
  other: string;
}

export function Compare(props: { device: string; channels: readonly string[]; compared: Comparison }) {
  const { device, channels, compared } = props;
  const list = useId();
  const alike = devices.list.value.filter((one) => {
    const has = channelsOf(one);
    return one.device_id !== device && channels.every((channel) => has.includes(channel));
  });
  const chooseOther = (text: string) => {
    if (!text || alike.some((one) => one.device_id === text)) setQuery({ other: text });
  };
  return (
    <>
      <select
        aria-label={t("device.compare")}
        value={compared.earlier}
        onChange={(event) => setQuery({ earlier: event.currentTarget.value })}
      >
        <option value="">{t("device.compare_none")}</option>
        <option value="1d">{t("device.compare_day")}</option>
        <option value="7d">{t("device.compare_week")}</option>
      </select>
      {alike.length > 0 && (
        <>
          <input
            type="search"
            class="other-device"
            list={list}
            aria-label={t("device.compare_other")}
            placeholder={t("device.compare_other")}
            defaultValue={compared.other}
            onInput={(event) => chooseOther(event.currentTarget.value)}
          />
          <datalist id={list}>
            {alike.slice(0, 500).map((one) => (
              <option key={one.device_id} value={one.device_id}>
                {one.device_name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </>
  );
}
