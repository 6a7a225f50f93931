/** The page: models. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function ModelsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("models.title")} />;
}
