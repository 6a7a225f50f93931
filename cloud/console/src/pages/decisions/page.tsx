/** The inbox of what people have to decide: the most pressing first, with what speaks for it. */
import { useSignal } from "@preact/signals";
import { useShortcuts } from "../../keys";
import { Failed, Loading, PageHead, Tabs } from "../../parts/panel";
import { useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { type Choice, type Decision, decided, decisions, deferred, history, pending } from "../../stores/decisions";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { Ask } from "./ask";
import { Detail } from "./detail";
import { Requests } from "./requests";
import "../../style/decisions.css";

const TABS = ["open", "deferred", "decided"] as const;
type Tab = (typeof TABS)[number];
const KINDS = ["maintenance", "recommendation", "rollout", "scaling", "model_promotion"] as const;

function useInbox(): {
  tab: Tab;
  kind: string;
  shown: readonly Decision[];
  chosen: string;
  counts: Record<Tab, number>;
} {
  const asked = query.value.get("state") ?? "open";
  const tab = TABS.find((one) => one === asked) ?? "open";
  const kind = query.value.get("kind") ?? "";
  const all = { open: pending.value, deferred: deferred.value, decided: history.value };
  const shown = all[tab].filter((one) => !kind || one.kind === kind);
  const counts = { open: all.open.length, deferred: all.deferred.length, decided: all.decided.length };
  return { tab, kind, shown, chosen: query.value.get("request") ?? "", counts };
}

export function DecisionsPage(_: { at: Record<string, string> }) {
  useKept(decisions, 60);
  useKept(decided, 120);
  const isAsking = useSignal(false);
  const answering = useSignal<Choice | null>(null);
  const { tab, kind, shown, chosen, counts } = useInbox();
  const choose = (id: string | null) => setQuery({ request: id }, { replace: Boolean(chosen) });
  const step = (by: number) => {
    const at = shown.findIndex((one) => one.id === chosen);
    const next = shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at + by))];
    if (next) choose(next.id);
  };
  const say = (choice: Choice) => {
    if (chosen) answering.value = choice;
  };
  useShortcuts([
    { keys: "j", text: t("decisions.next"), act: () => step(1) },
    { keys: "k", text: t("decisions.previous"), act: () => step(-1) },
    { keys: "y", text: t("decisions.approve"), act: () => say("approve") },
    { keys: "n", text: t("decisions.reject"), act: () => say("reject") },
    { keys: "d", text: t("decisions.defer"), act: () => say("defer") },
  ]);
  const store = tab === "decided" ? decided : decisions;
  return (
    <>
      <PageHead title={t("decisions.title")}>
        {may("tasks:update") && (
          <button
            type="button"
            class="button"
            onClick={() => {
              isAsking.value = true;
            }}
          >
            {t("decisions.ask")}
          </button>
        )}
      </PageHead>
      <div class="tools spread">
        <Tabs
          label={t("decisions.tabs")}
          tabs={TABS.map((one) => [one, <TabText key={one} of={one} n={counts[one]} />])}
          chosen={tab}
          choose={(one) => setQuery({ state: one === "open" ? null : one, request: null })}
        />
        <KindChoice kind={kind} />
      </div>
      <div class={`inbox ${chosen ? "has-chosen" : ""}`}>
        {store.state.value === "failed" ? (
          <Failed error={store.error.value} retry={() => void store.load()} />
        ) : store.state.value !== "ready" && !shown.length ? (
          <Loading />
        ) : (
          <Requests of={shown} chosen={chosen} choose={choose} empty={t(`decisions.empty_${tab}` as TextKey)} />
        )}
        <Detail key={chosen} id={chosen} close={() => choose(null)} answering={answering} onDone={() => step(1)} />
      </div>
      {isAsking.value && (
        <Ask
          close={() => {
            isAsking.value = false;
          }}
        />
      )}
    </>
  );
}

function TabText({ of, n }: { of: Tab; n: number }) {
  return (
    <>
      {t(`decisions.tab_${of}` as TextKey)} {of !== "decided" && <span class="count">{n}</span>}
    </>
  );
}

function KindChoice({ kind }: { kind: string }) {
  return (
    <select
      aria-label={t("decisions.kind")}
      value={kind}
      onChange={(event) => setQuery({ kind: event.currentTarget.value, request: null })}
    >
      <option value="">{t("decisions.kind_all")}</option>
      {KINDS.map((one) => (
        <option key={one} value={one}>
          {t(`decisions.kind_${one}` as TextKey)}
        </option>
      ))}
    </select>
  );
}
