/** How good forecasts were, by horizon. */
import { api } from "../../api/client";
import { number, percent } from "../../parts/number";
import { Failed, Loading, Panel } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { query, setQuery } from "../../router";
import { t } from "../../text";
import { length } from "../../time/zone";

const WINDOWS = ["1h", "24h", "7d", "30d"] as const;
const LENGTHS: Record<string, number> = { "1h": 3600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };

export function Accuracy({ service, unit }: { service: string; unit: string }) {
  const window = query.value.get("window") ?? "24h";
  const asked = useAsked(
    async () => (await api.get("/api/v1/metrics/accuracy", { query: { service, window } })).data,
    [service, window],
    300,
  );
  const rows = Object.entries(asked.data?.by_horizon ?? {});
  return (
    <Panel
      title={t("forecast.accuracy")}
      tools={
        <select
          aria-label={t("forecast.window")}
          value={window}
          onChange={(event) => setQuery({ window: event.currentTarget.value })}
        >
          {WINDOWS.map((one) => (
            <option key={one} value={one}>
              {t("forecast.last", { time: length(LENGTHS[one] ?? 0) })}
            </option>
          ))}
        </select>
      }
    >
      {asked.error ? (
        <Failed error={asked.error} retry={() => void asked.reload()} />
      ) : !asked.data ? (
        <Loading />
      ) : rows.length === 0 ? (
        <div class="empty">{t("forecast.none_matured")}</div>
      ) : (
        <section class="table" aria-label={t("forecast.accuracy")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("forecast.ahead")}</th>
                <th scope="col" class="number" title={t("forecast.wape_title")}>
                  WAPE
                </th>
                <th scope="col" class="number" title={t("forecast.mae_title", { unit })}>
                  MAE
                </th>
                <th scope="col" class="number" title={t("forecast.coverage_title")}>
                  ≤ p90
                </th>
                <th scope="col" class="number" title={t("forecast.count_title")}>
                  n
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([minutes, one]) => (
                <tr key={minutes}>
                  <td>{length(Number(minutes) * 60)}</td>
                  <td class="number">{one.wape === null ? "–" : number(one.wape, "%", 3)}</td>
                  <td class="number">{number(one.mae, "", 3)}</td>
                  <td class="number">{percent(one.coverage_p90)}</td>
                  <td class="number">{number(one.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <p class="quiet">{t("forecast.accuracy_hint")}</p>
    </Panel>
  );
}
