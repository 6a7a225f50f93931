/** The page: device. */
import { TimeChart } from "../../chart/chart";
import { useTraces } from "../../chart/history";
import { TimePicker, useRange } from "../../chart/picker";
import { usePixels } from "../../chart/pixels";
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function DevicePage({ at }: { at: Record<string, string> }) {
  const range = useRange("15m");
  const [box, pixels] = usePixels();
  const device = at.id ?? "";
  const { traces, error } = useTraces(
    [
      { device, metric: "vibration" },
      { device, metric: "flow" },
    ],
    range.value,
    pixels,
  );
  return (
    <>
      <PageHead title={t("device.title")}>
        <TimePicker range={range} />
      </PageHead>
      {error?.message}
      <div class="panel" ref={box}>
        <TimeChart
          label="x"
          range={range}
          lines={traces.map((one) => ({ key: one.key, label: one.metric, unit: one.unit, trace: one.trace }))}
        />
      </div>
    </>
  );
}
