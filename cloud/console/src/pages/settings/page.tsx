/** Settings: the installation's, how far it learns by itself, users, keys, webhooks, one's own password. */
import { PageHead, Tabs } from "../../parts/panel";
import { query, setQuery } from "../../router";
import { may, person } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { Autonomy } from "./autonomy";
import { Installation } from "./installation";
import { Keys } from "./keys";
import { Password } from "./password";
import { Users } from "./users";
import { Webhooks } from "./webhooks";
import "../../style/work.css";
import "../../style/settings.css";

const TABS = {
  installation: Installation,
  autonomy: Autonomy,
  users: Users,
  keys: Keys,
  webhooks: Webhooks,
  password: Password,
} as const;
type Tab = keyof typeof TABS;
const ADMIN: readonly Tab[] = ["users", "keys", "webhooks"];

function isOffered(tab: Tab): boolean {
  if (ADMIN.includes(tab)) return may("admin");
  if (tab === "autonomy") return may("learning:read");
  return tab !== "password" || person.value?.name !== "anonymous";
}

export function SettingsPage(_: { at: Record<string, string> }) {
  const tabs = (Object.keys(TABS) as Tab[]).filter(isOffered);
  const asked = query.value.get("tab") as Tab | null;
  const chosen = asked && tabs.includes(asked) ? asked : "installation";
  const Shown = TABS[chosen];
  return (
    <>
      <PageHead title={t("settings.title")} />
      <Tabs
        label={t("settings.title")}
        tabs={tabs.map((one) => [one, t(`settings.tab_${one}` as TextKey)])}
        chosen={chosen}
        choose={(one) => setQuery({ tab: one === "installation" ? null : one })}
      />
      <Shown />
    </>
  );
}
