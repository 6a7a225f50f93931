/** The page of alarms: the list of ISA-18.2 by priority and time, what was put out of sight, what is over. */
import { computed, type Signal, useSignal } from "@preact/signals";
import "../../style/alarms.css";
import { useShortcuts } from "../../keys";
import { isNarrow } from "../../parts/narrow";
import { PageHead, Ready, Tabs } from "../../parts/panel";
import { Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { type Alarm, alarms, inSight, isHidden, worstFirst } from "../../stores/alarms";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { now } from "../../time/zone";
import { Ask, type Asked, isAsked } from "./ask";
import { change } from "./change";
import { columnsOf, type Tab } from "./columns";
import { Detail } from "./detail";
import { Figures } from "./figures";
import { can, firstOut, only, type Verb } from "./judge";
import { Past } from "./past";

const hidden = computed(() => alarms.list.value.filter(isHidden).sort(worstFirst));
const first = computed(() => firstOut(inSight.value));
const newest = computed(() => inSight.value.map((one) => one.raised_at).reduce(later, ""));
const tabNow = computed<Tab>(() => {
  const told = query.value.get("tab");
  return told === "hidden" || told === "history" ? told : "active";
});
const onlyNow = computed(() => query.value.get("only") ?? "");
const rows = computed(() =>
  tabNow.value === "hidden" ? hidden.value : only(inSight.value, onlyNow.value, now.peek()),
);
const opened = computed(() => query.value.get("alarm") ?? "");

function later(one: string, other: string): string {
  return one < other ? other : one;
}

const open = (alarm: Alarm) => setQuery({ alarm: alarm.id });
const close = () => setQuery({ alarm: null });
const idOf = (alarm: Alarm) => alarm.id;

export function AlarmsPage(_: { at: Record<string, string> }) {
  useKept(alarms, 60);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const cursor = useSignal("");
  const asked = useSignal<Asked | null>(null);
  const ask = (wanted: Asked) => {
    if (isAsked(wanted.verb)) asked.value = wanted;
    else void change(wanted.verb, wanted.ids);
  };
  const changed = () => {
    chosen.value = new Set();
  };
  usePageKeys(chosen, cursor, ask);
  const columns = columnsOf(tabNow.value, first.value, opened.value !== "");
  return (
    <>
      <PageHead title={t("alarms.title")} />
      <Figures alarms={inSight.value} hidden={hidden.value.length} newest={newest.value} chosen={onlyNow.value} />
      <Choose />
      <div class={`alarms ${opened.value ? "with-detail" : ""}`}>
        <div class="stack">
          <Bulk chosen={chosen} ask={ask} />
          {tabNow.value === "history" ? (
            <Past columns={columns} open={open} opened={opened.value} />
          ) : (
            <Ready of={alarms} empty={<Nothing />}>
              <Table
                key={tabNow.value}
                name={tabNow.value}
                rows={rows.value}
                columns={columns}
                id={idOf}
                open={open}
                opened={opened.value}
                cursor={cursor}
                chosen={may("alarms:write") ? chosen : undefined}
                empty={tabNow.value === "hidden" ? t("alarms.none_hidden") : <Nothing />}
                height={isNarrow.value ? "none" : "calc(100vh - 290px)"}
                piled={96}
              />
            </Ready>
          )}
        </div>
        {opened.value && <Detail key={opened.value} id={opened.value} ask={ask} close={close} />}
      </div>
      {asked.value && (
        <Ask
          asked={asked.value}
          changed={changed}
          close={() => {
            asked.value = null;
          }}
        />
      )}
    </>
  );
}

function Choose() {
  const tabs: readonly (readonly [Tab, string])[] = [
    ["active", t("alarms.tab_active", { n: inSight.value.length })],
    ["hidden", t("alarms.tab_hidden", { n: hidden.value.length })],
    ["history", t("alarms.tab_history")],
  ];
  const choose = (tab: Tab) => setQuery({ tab: tab === "active" ? null : tab, only: null });
  return <Tabs label={t("alarms.title")} tabs={tabs} chosen={tabNow.value} choose={choose} />;
}

function Nothing() {
  return (
    <>
      <p>{t("alarms.none_active")}</p>
      <p class="quiet">{t("alarms.none_active_more")}</p>
    </>
  );
}

const MANY: readonly Verb[] = [
  "acknowledge",
  "shelve",
  "unshelve",
  "clear",
  "out_of_service",
  "return_to_service",
  "assign",
];

/** What can be done to the chosen rows; an action is offered where at least one of them can take it. */
function Bulk({ chosen, ask }: { chosen: Signal<ReadonlySet<string>>; ask: (asked: Asked) => void }) {
  const those = known(chosen.value);
  if (those.length === 0 || !may("alarms:write")) return null;
  const release = () => {
    chosen.value = new Set();
  };
  return (
    <div class="bulk" role="toolbar" aria-label={t("common.actions")}>
      <strong>{t("common.selected", { n: those.length })}</strong>
      {MANY.map((verb) => {
        const ids = those.filter((one) => can(verb, one)).map(idOf);
        return ids.length ? (
          <button key={verb} type="button" class="button" onClick={() => ask({ verb, ids })}>
            {t(`alarms.${verb}` as TextKey)}
            {ids.length < those.length && ` (${ids.length})`}
          </button>
        ) : null;
      })}
      <button type="button" class="button plain" onClick={release}>
        {t("alarms.release")}
      </button>
    </div>
  );
}

function known(ids: Iterable<string>): Alarm[] {
  return [...ids].map((id) => alarms.get(id)).filter((one) => one !== undefined);
}

/** Keys act on the chosen rows, else on the one that is open, else on the one that the keys are at. */
function usePageKeys(chosen: Signal<ReadonlySet<string>>, cursor: Signal<string>, ask: (asked: Asked) => void): void {
  const meant = (verb: Verb) => {
    const ids = chosen.value.size ? chosen.value : [opened.value || cursor.value];
    return known(ids)
      .filter((one) => can(verb, one))
      .map(idOf);
  };
  const doing = (verb: Verb) => () => {
    const ids = meant(verb);
    if (ids.length) ask({ verb, ids });
  };
  const choose = () => {
    const next = new Set(chosen.value);
    if (!cursor.value) return;
    if (!next.delete(cursor.value)) next.add(cursor.value);
    chosen.value = next;
  };
  const changes = [
    { keys: "a", text: t("alarms.acknowledge"), act: doing("acknowledge") },
    { keys: "s", text: t("alarms.shelve"), act: doing("shelve") },
    { keys: "x", text: t("alarms.key_choose"), act: choose },
  ];
  useShortcuts([
    ...(may("alarms:write") ? changes : []),
    { keys: "Escape", text: t("shell.shortcut_close"), act: close },
  ]);
}
