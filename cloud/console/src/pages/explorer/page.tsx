/** The page: explorer. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function ExplorerPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("explorer.title")} />;
}
