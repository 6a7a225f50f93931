/** The page: fleet. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function FleetPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("fleet.title")} />;
}
