/** The page: device. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function DevicePage(_: { at: Record<string, string> }) {
  return <PageHead title={t("device.title")} />;
}
