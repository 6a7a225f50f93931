/** How the cloud is: its parts, gateways, what was done by whom, what reached nobody, what is slow. */
import { PageHead, Tabs } from "../../parts/panel";
import { Link, query, setQuery } from "../../router";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { Activity } from "./activity";
import { Gateways } from "./gateways";
import { Letters } from "./letters";
import { Overview } from "./overview";
import { Performance } from "./performance";
import "../../style/system.css";

const TABS = {
  overview: Overview,
  gateways: Gateways,
  activity: Activity,
  letters: Letters,
  performance: Performance,
} as const;
type Tab = keyof typeof TABS;

function isOffered(tab: Tab): boolean {
  if (tab === "letters") return may("admin");
  return may(tab === "gateways" ? "gateways:read" : "system:read");
}

export function SystemPage(_: { at: Record<string, string> }) {
  const tabs = (Object.keys(TABS) as Tab[]).filter(isOffered);
  const asked = query.value.get("tab") as Tab | null;
  const chosen = asked && tabs.includes(asked) ? asked : "overview";
  const Shown = TABS[chosen];
  return (
    <>
      <PageHead title={t("system.title")}>
        <Link to="/explorer" class="button">
          {t("system.explorer")}
        </Link>
      </PageHead>
      <Tabs
        label={t("system.title")}
        tabs={tabs.map((one) => [one, t(`system.tab_${one}` as TextKey)])}
        chosen={chosen}
        choose={(one) => setQuery({ tab: one === "overview" ? null : one })}
      />
      <Shown />
    </>
  );
}
