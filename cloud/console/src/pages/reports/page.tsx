/** The page: reports. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function ReportsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("work.reports")} />;
}
