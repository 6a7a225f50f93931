/** Alarms raised in each of the last 24 hours, as small bars. */
import { Panel } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { HOUR_MS, readRate } from "../../stores/rate";
import { t } from "../../text";
import { at } from "../../time/zone";

const HOURS = 24;
const WIDTH = 240;
const HEIGHT = 44;
/** Above this many an hour nobody keeps up (EEMUA 191, ISA-18.2: about 6 an hour and operator). */
const ACCEPTABLE = 6;

/** Read anew with each alarm that is new, but not more often than the page is told of them. */
export function AlarmRate({ newest }: { newest: string }) {
  const asked = useAsked(() => readRate(HOURS), ["rate", newest.slice(0, 15)], 120);
  const counts = asked.data;
  const sum = counts?.reduce((one, other) => one + other, 0) ?? 0;
  return (
    <Panel
      title={t("fleet.rate")}
      class="fleet-rate"
      tools={counts && <span class="quiet">{t("fleet.rate_total", { n: sum })}</span>}
    >
      <Bars counts={counts ?? []} sum={sum} />
    </Panel>
  );
}

function Bars({ counts, sum }: { counts: readonly number[]; sum: number }) {
  const most = Math.max(...counts, 0);
  const top = Math.max(most, ACCEPTABLE);
  const step = WIDTH / HOURS;
  const y = (count: number) => HEIGHT * (1 - count / top);
  const now = Date.now();
  const hour = (index: number) => at(now - (HOURS - index) * HOUR_MS, "time");
  return (
    <div>
      <svg
        class="rate-bars"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("fleet.rate_chart", { n: sum, most })}
      >
        {counts.map((count, index) => (
          <g key={index}>
            <title>{t("fleet.rate_hour", { time: hour(index), n: count })}</title>
            <rect class="hit" x={index * step} y="0" width={step} height={HEIGHT} />
            <rect
              class={count > ACCEPTABLE ? "over" : ""}
              x={index * step + 1}
              y={Math.min(y(count), HEIGHT - 1)}
              width={step - 2}
              height={Math.max(1, HEIGHT - y(count))}
            />
          </g>
        ))}
        <line x1="0" x2={WIDTH} y1={y(ACCEPTABLE)} y2={y(ACCEPTABLE)} vector-effect="non-scaling-stroke" />
      </svg>
      <div class="row spread quiet rate-axis" aria-hidden="true">
        <span>{hour(0)}</span>
        <span>{hour(HOURS / 2)}</span>
        <span>{at(now, "time")}</span>
      </div>
    </div>
  );
}
