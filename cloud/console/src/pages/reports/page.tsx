/** The page: reports and exports of readings: make, fetch, and the report of the week. */
import "../../style/work.css";
import { useSignal } from "@preact/signals";
import { PageHead, Tabs } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { jobs } from "../../stores/jobs";
import { may } from "../../stores/session";
import { t } from "../../text";
import { ExportDialog } from "./export";
import { ExportList, ReportList } from "./files";
import { ReportDialog } from "./generate";
import { Schedule } from "./schedule";

export function ReportsPage(_: { at: Record<string, string> }) {
  useKept(jobs, 30);
  const tab = query.value.get("tab") === "exports" ? "exports" : "reports";
  const asked = useSignal<"report" | "export" | null>(null);
  const close = () => {
    asked.value = null;
  };
  return (
    <>
      <PageHead title={t("work.reports")}>
        {may("reports:generate") && (
          <div class="row">
            <button
              type="button"
              class={`button ${tab === "reports" ? "main-action" : ""}`}
              onClick={() => {
                asked.value = "report";
              }}
            >
              {t("work.generate")}
            </button>
            <button
              type="button"
              class={`button ${tab === "exports" ? "main-action" : ""}`}
              onClick={() => {
                asked.value = "export";
              }}
            >
              {t("work.new_export")}
            </button>
          </div>
        )}
      </PageHead>
      <Tabs
        label={t("work.tab_label")}
        tabs={[
          ["reports", t("work.tab_reports")],
          ["exports", t("work.tab_exports")],
        ]}
        chosen={tab}
        choose={(one) => setQuery({ tab: one === "reports" ? null : one })}
      />
      {tab === "reports" ? (
        <>
          {may("system:read") && <Schedule />}
          <ReportList />
        </>
      ) : (
        <ExportList />
      )}
      {asked.value === "report" && <ReportDialog close={close} />}
      {asked.value === "export" && (
        <ExportDialog
          close={() => {
            close();
            setQuery({ tab: "exports" });
          }}
        />
      )}
    </>
  );
}
