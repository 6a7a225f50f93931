/** The page: settings. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function SettingsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("settings.title")} />;
}
