/** The audit: who did what, when, the newest first; entries are never changed. */
import { useSignal } from "@preact/signals";
import { type Answer, api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { Failed, Pairs } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { who } from "../../parts/who";
import { query, setQuery } from "../../router";
import { type TextKey, t, word } from "../../text";
import { system as words } from "../../text/system";
import { ago, at } from "../../time/zone";

type Entry = Answer<"/api/v1/activity">["activities"][number];
const TYPES = [
  "alarm",
  "decision",
  "recommendation",
  "access",
  "settings",
  "scaling",
  "event",
  "label",
  "upload",
  "training",
  "deployment",
  "rollout",
  "job",
  "report",
  "webhook",
];
const STEP = 200;
const MOST = 1000;

export function Activity() {
  const type = query.value.get("type") ?? "";
  const limit = useSignal(STEP);
  const opened = useSignal<Entry | null>(null);
  const asked = useAsked(
    async () => (await api.get("/api/v1/activity", { query: { type, limit: limit.value } })).data,
    [type, limit.value],
    10,
  );
  if (asked.error && !asked.data) return <Failed error={asked.error} retry={() => void asked.reload()} />;
  const rows = asked.data?.activities ?? [];
  const total = asked.data?.total ?? 0;
  return (
    <>
      <Table
        name="activity"
        rows={rows}
        columns={columns()}
        id={(one) => one.id}
        open={(one) => {
          opened.value = one;
        }}
        empty={asked.isLoading ? t("common.loading") : t("system.no_activity")}
        tools={
          <select
            aria-label={t("system.type")}
            value={type}
            onChange={(event) => setQuery({ type: event.currentTarget.value })}
          >
            <option value="">{t("system.all_types")}</option>
            {TYPES.map((one) => (
              <option key={one} value={one}>
                {typeText(one)}
              </option>
            ))}
          </select>
        }
      />
      {rows.length < Math.min(total, MOST) && (
        <div>
          <button
            type="button"
            class="button"
            onClick={() => {
              limit.value = Math.min(MOST, limit.value + STEP);
            }}
          >
            {t("system.older", { shown: rows.length, n: total })}
          </button>
        </div>
      )}
      {opened.value && (
        <Dialog title={opened.value.message} close={() => (opened.value = null)}>
          <Pairs
            of={[
              [t("common.time"), `${at(opened.value.timestamp, "full")} · ${ago(opened.value.timestamp)}`],
              [t("common.by"), who(opened.value.user)],
              [t("system.type"), typeText(opened.value.type)],
            ]}
          />
          <pre>{JSON.stringify(opened.value.details, null, 2)}</pre>
        </Dialog>
      )}
    </>
  );
}

function typeText(type: string): string {
  return `type_${type}` in words.en ? t(`system.type_${type}` as TextKey) : word(type);
}

function columns(): Column<Entry>[] {
  return [
    { key: "at", title: t("common.time"), cell: (one) => at(one.timestamp, "full"), by: (one) => one.timestamp },
    { key: "by", title: t("common.by"), cell: (one) => who(one.user), by: (one) => who(one.user) },
    { key: "type", title: t("system.type"), cell: (one) => typeText(one.type), by: (one) => typeText(one.type) },
    {
      key: "what",
      title: t("system.what"),
      cell: (one) => <span title={one.message}>{one.message}</span>,
      by: (one) => one.message,
    },
    { key: "why", title: t("common.reason"), cell: (one) => reasonOf(one), by: reasonOf },
  ];
}

/** Return what somebody said with it: a comment, a justification, a note. */
function reasonOf(one: Entry): string {
  const details = (one.details ?? {}) as Record<string, unknown>;
  const said = ["comment", "justification", "note", "reason"]
    .map((name) => details[name])
    .find((it) => typeof it === "string" && it);
  return typeof said === "string" ? said : "";
}
