/** The page: models and their versions, rollouts, drift, experiments. */
import "../../style/work.css";
import "../../style/models.css";
import { PageHead, Tabs } from "../../parts/panel";
import { query, setQuery } from "../../router";
import { may } from "../../stores/session";
import { t } from "../../text";
import { DriftTab } from "./drift";
import { ExperimentsTab } from "./experiments";
import { ModelsTab } from "./list";
import { RolloutsTab } from "./rollouts";
import { TrainDialog } from "./train";

const TABS = [
  ["models", "models:read"],
  ["rollouts", "models:read"],
  ["drift", "ml:drift"],
  ["experiments", "learning:read"],
] as const;
type Tab = (typeof TABS)[number][0];

function chosenTab(): Tab {
  const wanted = query.value.get("tab");
  return (
    TABS.find(([name, scope]) => name === wanted && may(scope))?.[0] ??
    (query.value.has("rollout") ? "rollouts" : "models")
  );
}

export function ModelsPage(_: { at: Record<string, string> }) {
  const tab = chosenTab();
  const dataset = query.value.get("train");
  const shown = TABS.filter(([, scope]) => may(scope));
  return (
    <>
      <PageHead title={t("models.title")}>
        {may("learning:write") && (
          <button type="button" class="button main-action" onClick={() => setQuery({ train: "new" })}>
            {t("models.train")}
          </button>
        )}
      </PageHead>
      <Tabs
        label={t("models.tab_label")}
        tabs={shown.map(([name]) => [name, t(`models.tab_${name}`)])}
        chosen={tab}
        choose={(one) => setQuery({ tab: one === "models" ? null : one, rollout: null, model: null })}
      />
      {tab === "models" && <ModelsTab />}
      {tab === "rollouts" && <RolloutsTab />}
      {tab === "drift" && <DriftTab />}
      {tab === "experiments" && <ExperimentsTab />}
      {dataset && may("learning:write") && (
        <TrainDialog key={dataset} dataset={dataset} close={() => setQuery({ train: null })} />
      )}
    </>
  );
}
