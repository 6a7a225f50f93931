/** The page: alarms. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function AlarmsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("alarms.title")} />;
}
