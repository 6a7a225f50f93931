/** The page: data. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function DataPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("data.title")} />;
}
