/** The list of rollouts, and one of them beside it. */
import { useSignal } from "@preact/signals";
import { Beside } from "../../parts/beside";
import { Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Progress, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { who } from "../../parts/who";
import { query, setQuery } from "../../router";
import { gateways } from "../../stores/gateways";
import { models } from "../../stores/models";
import { goodShare, isAbnormal, type Rollout, rollouts } from "../../stores/rollouts";
import { may } from "../../stores/session";
import { t } from "../../text";
import { at } from "../../time/zone";
import { RolloutDetail } from "./rollout";
import { StartDialog } from "./start";
import { called } from "./words";

export function RolloutState({ of }: { of: Rollout }) {
  const tone = isAbnormal(of) ? "warning" : of.state === "waiting" ? "info" : "normal";
  return (
    <span title={of.reason}>
      <Mark of={tone}>{called("state", of.state)}</Mark>
    </span>
  );
}

function columns(isShort: boolean): Column<Rollout>[] {
  const all: Column<Rollout>[] = [
    { key: "model", title: t("models.name"), cell: (one) => one.model, by: (one) => one.model },
    {
      key: "version",
      title: t("models.version"),
      isNumber: true,
      cell: (one) => number(one.version),
      by: (one) => one.version,
    },
    {
      key: "state",
      title: t("models.state"),
      cell: (one) => <RolloutState of={one} />,
      by: (one) => called("state", one.state),
    },
    {
      key: "group",
      title: t("models.groups"),
      cell: (one) => t("models.group_n", { n: one.group, m: one.groups.length }),
      by: (one) => one.group / one.groups.length,
    },
    {
      key: "good",
      title: t("models.targets"),
      cell: (one) => <Good of={one} />,
      by: goodShare,
    },
    { key: "by", title: t("models.by"), cell: (one) => who(one.created_by), by: (one) => who(one.created_by) },
    { key: "began", title: t("models.began"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    { key: "ended", title: t("models.ended"), cell: (one) => at(one.ended_at), by: (one) => one.ended_at ?? "" },
  ];
  return isShort ? all.filter((one) => ["model", "version", "state"].includes(one.key)) : all;
}

function Good({ of }: { of: Rollout }) {
  const share = goodShare(of);
  const failed = (of.targets as Record<string, number>).failed ?? 0;
  return (
    <div class="run-bar">
      <Progress share={share} isFailed={failed > 0} label={`${t("models.good")} ${percent(share)}`} />
      <span class="number">
        {percent(share)} {t("models.good")}
      </span>
    </div>
  );
}

export function RolloutsTab() {
  useKept(rollouts, 4);
  useKept(gateways, 10);
  useKept(models, 60);
  const isAsked = useSignal(false);
  const id = query.value.get("rollout") ?? "";
  const opened = id ? rollouts.get(id) : undefined;
  const start = may("models:write") && (
    <button
      type="button"
      class="button"
      onClick={() => {
        isAsked.value = true;
      }}
    >
      {t("models.start")}
    </button>
  );
  const empty = (
    <>
      <p>{t("models.no_rollouts")}</p>
      <p>{t("models.no_rollouts_next")}</p>
      {start}
    </>
  );
  return (
    <>
      <Ready of={rollouts} empty={empty}>
        <Beside isOpen={Boolean(opened)} isHalf>
          <Table
            name="rollouts"
            rows={rollouts.list.value}
            columns={columns(Boolean(opened))}
            id={(one) => one.id}
            open={(one) => setQuery({ tab: "rollouts", rollout: one.id === id ? null : one.id })}
            opened={id}
            sortedBy="-began"
            tools={start}
          />
          {opened && (
            <RolloutDetail key={id} rollout={opened} close={() => setQuery({ tab: "rollouts", rollout: null })} />
          )}
        </Beside>
      </Ready>
      {isAsked.value && (
        <StartDialog
          model={models.list.value.find((one) => one.type === "anomaly")?.name ?? ""}
          close={() => {
            isAsked.value = false;
          }}
        />
      )}
    </>
  );
}
