/** The page: decisions. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function DecisionsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("decisions.title")} />;
}
