/** The page: system. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function SystemPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("system.title")} />;
}
