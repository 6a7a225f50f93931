/** The page: datasets that models learn from, and labels that people gave. */
import "../../style/work.css";
import "../../style/data.css";
import { PageHead, Tabs } from "../../parts/panel";
import { query, setQuery } from "../../router";
import { may } from "../../stores/session";
import { t } from "../../text";
import { DatasetsTab } from "./datasets";
import { LabelsTab } from "./labels";

export function DataPage(_: { at: Record<string, string> }) {
  const tab = query.value.get("tab") === "labels" ? "labels" : "datasets";
  return (
    <>
      <PageHead title={t("data.title")} />
      {may("alarms:read") && (
        <Tabs
          label={t("data.tab_label")}
          tabs={[
            ["datasets", t("data.tab_datasets")],
            ["labels", t("data.tab_labels")],
          ]}
          chosen={tab}
          choose={(one) => setQuery({ tab: one === "datasets" ? null : one })}
        />
      )}
      {tab === "datasets" ? <DatasetsTab /> : <LabelsTab />}
    </>
  );
}
