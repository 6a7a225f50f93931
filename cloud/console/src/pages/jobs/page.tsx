/** The page: jobs. */
import { PageHead } from "../../parts/panel";
import { t } from "../../text";

export function JobsPage(_: { at: Record<string, string> }) {
  return <PageHead title={t("work.jobs")} />;
}
