/** The columns of a dataset drawn one under another, every peak kept. */
import { useEffect } from "preact/hooks";
import { number } from "../../parts/number";
import { Failed, Progress } from "../../parts/panel";
import { type DatasetDetails, type Extent, extents, type Rows } from "../../stores/datasets";
import { t } from "../../text";

const MOST = 20_000;
const WIDTH = 600;
const HEIGHT = 56;

export function Charts({ known, rows }: { known: DatasetDetails; rows: Rows }) {
  useEffect(() => {
    void rows.readFirst(MOST);
  }, [rows]);
  const version = rows.version.value;
  const columns = known.columns.filter((one) => one.kind === "number");
  const wanted = Math.min(MOST, known.n_samples);
  const first = columns[0];
  const loaded = first && version >= 0 ? Math.min(known.n_samples, rows.numbers(first.name).length) : 0;
  if (rows.error.value) return <Failed error={rows.error.value} retry={() => rows.retry()} />;
  if (!first) return <p class="quiet">{t("data.chart_none")}</p>;
  const text = t("data.chart_rows", { n: `1–${number(loaded)}`, total: number(known.n_samples) });
  return (
    <div class="stack">
      <p class="quiet">{text}</p>
      {loaded < wanted && <Progress share={loaded / wanted} label={text} />}
      <div class="plots">
        {columns.map((one) => {
          const values = rows.numbers(one.name);
          return (
            <div class="plot-row" key={one.name}>
              <div>
                <div class="clip" title={one.name}>
                  {one.name}
                </div>
                <div class="range">
                  {number(one.minimum)} – {number(one.maximum)}
                </div>
              </div>
              <Plot
                parts={extents(values, WIDTH)}
                low={one.minimum ?? 0}
                high={one.maximum ?? 1}
                label={t("data.chart_title", {
                  name: one.name,
                  low: number(one.minimum),
                  high: number(one.maximum),
                })}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Return a line through the least and greatest value of each part. */
export function path(parts: readonly (Extent | null)[], low: number, high: number): string {
  const span = high - low || 1;
  const y = (value: number) => (HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4)).toFixed(1);
  const step = WIDTH / Math.max(1, parts.length - 1);
  let isDown = false;
  return parts
    .map((one, index) => {
      if (!one) {
        isDown = false;
        return "";
      }
      const x = (index * step).toFixed(1);
      const move = isDown ? "L" : "M";
      isDown = true;
      return one.low === one.high ? `${move}${x} ${y(one.low)}` : `${move}${x} ${y(one.high)}V${y(one.low)}`;
    })
    .join("");
}

function Plot(props: { parts: readonly (Extent | null)[]; low: number; high: number; label: string }) {
  return (
    <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={props.label}>
      <path class="ground" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
      <path d={path(props.parts, props.low, props.high)} />
    </svg>
  );
}
