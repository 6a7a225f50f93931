/** The page: forecast. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function ForecastPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("forecast.title")} />;
}
