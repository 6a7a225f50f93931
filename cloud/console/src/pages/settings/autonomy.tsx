/** How far models learn by themselves, what they did, and the way to stop it at once. */
import { useSignal } from "@preact/signals";
import { type Answer, api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { Chip } from "../../parts/marks";
import { Failed, Loading, Panel } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { Link } from "../../router";
import { act } from "../../stores/act";
import { may } from "../../stores/session";
import { type TextKey, t, word } from "../../text";
import { ago, at } from "../../time/zone";

type Autonomous = Answer<"/api/v1/autonomous">;
type Level = Autonomous["level"];
type Run = Answer<"/api/v1/autonomous/runs">[number];
const levelText = (level: string) => t(`settings.level_${level}` as TextKey);

export function Autonomy() {
  const asked = useAsked(async () => (await api.get("/api/v1/autonomous")).data, [], 60);
  const runs = useAsked(async () => (await api.get("/api/v1/autonomous/runs", { query: { limit: 200 } })).data, [], 60);
  const isStopping = useSignal(false);
  const isMine = may("admin");
  const set = (level: Level, family = "") =>
    act(
      async () => {
        await api.put("/api/v1/autonomous", { body: { level, family } });
        await asked.reload();
      },
      {
        done: t("settings.saved"),
        wasDone: async () => {
          const { data } = await api.get("/api/v1/autonomous");
          const found = family ? data.families.find((one) => one.name === family)?.level : data.level;
          return found === level;
        },
      },
    );
  const stop = () =>
    act(
      async () => {
        await api.post("/api/v1/autonomous/stop");
        await Promise.all([asked.reload(), runs.reload()]);
      },
      { done: t("settings.stopped"), wasDone: async () => (await api.get("/api/v1/autonomous")).data.level === "off" },
    );
  if (asked.error && !asked.data) return <Failed error={asked.error} retry={() => void asked.reload()} />;
  if (!asked.data) return <Loading />;
  const told = asked.data;
  return (
    <>
      <Panel
        title={t("settings.autonomy")}
        tools={
          isMine && (
            <button
              type="button"
              class="button danger"
              onClick={() => {
                isStopping.value = true;
              }}
            >
              {t("settings.stop")}
            </button>
          )
        }
      >
        <fieldset class="levels" disabled={!isMine}>
          <legend class="hidden-text">{t("settings.autonomy")}</legend>
          {told.levels.map((one) => (
            <label key={one} class={one === told.level ? "chosen" : ""}>
              <input type="radio" name="level" checked={one === told.level} onChange={() => void set(one)} />
              <strong>{levelText(one)}</strong>
              <span class="quiet">{t(`settings.level_says_${one}` as TextKey)}</span>
            </label>
          ))}
        </fieldset>
        <Table
          name="families"
          rows={told.families}
          columns={familyColumns(isMine ? (family, level) => void set(level, family) : null, told.levels)}
          id={(one) => one.name}
          hasFilter={told.families.length > 10}
          height="300px"
          empty={t("settings.no_families")}
        />
      </Panel>
      <Panel title={t("settings.runs")}>
        <Table
          name="runs"
          rows={runs.data ?? []}
          columns={runColumns()}
          id={(one) => one.id}
          sortedBy="-at"
          height="400px"
          empty={runs.isLoading ? t("common.loading") : t("settings.no_runs")}
        />
      </Panel>
      {isStopping.value && (
        <Confirm
          title={t("settings.stop")}
          text={t("settings.stop_says")}
          action={t("settings.stop")}
          isDanger
          act={stop}
          close={() => {
            isStopping.value = false;
          }}
        />
      )}
    </>
  );
}

function familyColumns(
  set: ((family: string, level: Level) => void) | null,
  levels: readonly Level[],
): Column<Autonomous["families"][number]>[] {
  return [
    { key: "name", title: t("settings.family"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "champion",
      title: t("settings.serves"),
      cell: (one) => one.champion ?? "–",
      by: (one) => one.champion ?? 0,
      isNumber: true,
    },
    {
      key: "level",
      title: t("settings.level"),
      cell: (one) =>
        set ? (
          <select
            aria-label={`${t("settings.level")}: ${one.name}`}
            value={one.level}
            onChange={(event) => set(one.name, event.currentTarget.value as Level)}
          >
            {levels.map((level) => (
              <option key={level} value={level}>
                {levelText(level)}
              </option>
            ))}
          </select>
        ) : (
          levelText(one.level)
        ),
      by: (one) => one.level,
    },
    { key: "own", title: "", cell: (one) => one.is_own && <Chip>{t("settings.of_its_own")}</Chip> },
  ];
}

function runColumns(): Column<Run>[] {
  return [
    {
      key: "at",
      title: t("common.time"),
      cell: (one) => <span title={ago(one.at)}>{at(one.at)}</span>,
      by: (one) => one.at,
    },
    { key: "family", title: t("settings.family"), cell: (one) => one.family, by: (one) => one.family },
    { key: "cause", title: t("settings.cause"), cell: (one) => word(one.cause), by: (one) => one.cause },
    {
      key: "versions",
      title: t("settings.versions"),
      cell: (one) => `${one.champion ?? "–"} → ${one.challenger ?? "–"}`,
    },
    {
      key: "promoted",
      title: t("settings.outcome"),
      cell: (one) => (one.is_promoted ? t("settings.better") : one.reasons.join("; ") || t("settings.not_better")),
      by: (one) => String(one.is_promoted),
    },
    {
      key: "decision",
      title: t("settings.decision"),
      cell: (one) =>
        one.decision_request ? (
          <Link to={`/decisions?request=${encodeURIComponent(one.decision_request)}`}>
            {word(one.decision ?? "open")}
          </Link>
        ) : (
          "–"
        ),
    },
  ];
}
