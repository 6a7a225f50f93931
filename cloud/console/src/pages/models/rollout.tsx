/** One rollout: how far each group is, the verdict on every device, the rules, and what can be done. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Opened, Part } from "../../parts/beside";
import { Confirm } from "../../parts/confirm";
import { number, percent } from "../../parts/number";
import { Failed, Loading, Pairs } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { type Action, act } from "../../stores/act";
import { gateways } from "../../stores/gateways";
import { link } from "../../stores/link";
import { usesOf } from "../../stores/models";
import {
  canGoBack,
  type Group,
  groupsOf,
  isOpen,
  type Member,
  type Rollout,
  type RolloutStory,
  rollouts,
  VERDICTS,
} from "../../stores/rollouts";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { at, length } from "../../time/zone";
import { RolloutState } from "./rollouts";
import { called, Standing } from "./words";

async function read(id: string): Promise<RolloutStory> {
  return (await api.get("/api/v1/rollouts/{rollout_id}", { at: { rollout_id: id } })).data;
}

export function RolloutDetail({ rollout, close }: { rollout: Rollout; close: () => void }) {
  const asked = useAsked(() => read(rollout.id), [rollout.id], 4);
  const story = asked.data;
  const shown = story ?? rollout;
  return (
    <Opened title={t("models.rollout_of", { model: rollout.model, n: rollout.version })} close={close} isLong>
      <div class="row spread">
        <RolloutState of={shown} />
        <span class="quiet">{t("models.group_n", { n: shown.group, m: shown.groups.length })}</span>
      </div>
      {shown.reason && (
        <div class="notice" role="note">
          {shown.reason}
        </div>
      )}
      <Actions rollout={shown} reload={asked.reload} />
      {asked.error && !story && <Failed error={asked.error} retry={() => void asked.reload()} />}
      {!story && !asked.error && <Loading />}
      {story && <Groups story={story} />}
      {story && <Members story={story} />}
      <Part title={t("models.rules")}>
        <Pairs of={rules(shown)} />
      </Part>
      <Part title={t("common.details")}>
        <Pairs
          of={[
            [
              t("models.name"),
              <Link key="model" to={`/models?model=${rollout.model}`}>
                {rollout.model}
              </Link>,
            ],
            [t("models.by"), who(shown.created_by)],
            [t("models.began"), at(shown.created_at, "full")],
            [t("models.ended"), at(shown.ended_at, "full")],
            ["ID", shown.id],
          ]}
        />
      </Part>
    </Opened>
  );
}

type Verb = "pause" | "resume" | "approve" | "roll_back";
const STATES: Record<Verb, (one: Rollout) => boolean> = {
  pause: (one) => one.state === "paused",
  resume: (one) => one.state !== "paused",
  approve: (one) => one.state !== "waiting",
  roll_back: (one) => one.state === "rolling_back" || one.state === "rolled_back",
};

async function change(rollout: Rollout, verb: Verb): Promise<void> {
  const request = { at: { rollout_id: rollout.id } };
  const action: Action = {
    done: t(`models.${verb}_done`),
    wasDone: async () => STATES[verb](await read(rollout.id)),
  };
  await act(async () => rollouts.merge((await post(verb, request)).data, link.lastSeq), action);
}

function post(verb: Verb, request: { at: { rollout_id: string } }) {
  switch (verb) {
    case "pause":
      return api.post("/api/v1/rollouts/{rollout_id}/pause", request);
    case "resume":
      return api.post("/api/v1/rollouts/{rollout_id}/resume", request);
    case "approve":
      return api.post("/api/v1/rollouts/{rollout_id}/approve", request);
    default:
      return api.post("/api/v1/rollouts/{rollout_id}/rollback", { ...request, body: { reason: "" } });
  }
}

function Actions({ rollout, reload }: { rollout: Rollout; reload: () => Promise<void> }) {
  const isAsking = useSignal(false);
  if (!may("models:write")) return null;
  const offered: Verb[] = [];
  if (rollout.state === "waiting") offered.push("approve");
  if (rollout.state === "paused") offered.push("resume");
  else if (isOpen(rollout)) offered.push("pause");
  if (!offered.length && !canGoBack(rollout)) return null;
  return (
    <div class="actions">
      {offered.map((verb) => (
        <button
          key={verb}
          type="button"
          class={`button ${verb === "pause" ? "" : "main-action"}`}
          onClick={() => void change(rollout, verb).then(reload)}
        >
          {t(`models.${verb}`)}
        </button>
      ))}
      {canGoBack(rollout) && (
        <button
          type="button"
          class="button danger"
          onClick={() => {
            isAsking.value = true;
          }}
        >
          {t("models.roll_back")}
        </button>
      )}
      {isAsking.value && (
        <Confirm
          title={t("models.roll_back_title", { model: rollout.model, n: rollout.version })}
          text={t("models.roll_back_text")}
          action={t("models.roll_back")}
          isDanger
          act={() => change(rollout, "roll_back").then(reload)}
          close={() => {
            isAsking.value = false;
          }}
        />
      )}
    </div>
  );
}

function Groups({ story }: { story: RolloutStory }) {
  return (
    <Part title={t("models.groups")}>
      <div class="group-list">
        {groupsOf(story).map((one) => (
          <GroupRow key={one.number} group={one} of={story.groups.length} />
        ))}
      </div>
    </Part>
  );
}

function GroupRow({ group, of }: { group: Group; of: number }) {
  const told = VERDICTS.filter((one) => group.counts[one] > 0);
  const text = told.map((one) => `${number(group.counts[one])} ${called("verdict", one)}`).join(", ");
  return (
    <div class="group-row">
      <div class="row spread">
        <strong>{t("models.group_n", { n: group.number, m: of })}</strong>
        <span class="quiet">{t("models.group_share", { share: percent(group.upTo / 100, 1) })}</span>
      </div>
      <div class="stacked" role="img" aria-label={text || t("common.none")}>
        {told.map((one) => (
          <span key={one} class={one} style={{ width: `${(100 * group.counts[one]) / group.total}%` }} />
        ))}
      </div>
      <div class="counts">
        {told.length === 0 && <span>{t("common.none")}</span>}
        {told.map((one) => (
          <span key={one}>
            <span class={`swatch ${one}`} />
            {number(group.counts[one])} {called("verdict", one)}
          </span>
        ))}
      </div>
    </div>
  );
}

function Members({ story }: { story: RolloutStory }) {
  const uses = usesOf(gateways.list.value, story.model, story.version);
  const use = (one: Member) => uses.find((used) => used.gateway === one.gateway_id && used.device === one.device);
  const columns: Column<Member>[] = [
    {
      key: "device",
      title: t("models.device"),
      cell: (one) => <Link to={`/devices/${encodeURIComponent(one.device)}`}>{one.device}</Link>,
      by: (one) => one.device,
    },
    { key: "gateway", title: t("models.gateway"), cell: (one) => one.gateway_id, by: (one) => one.gateway_id },
    { key: "group", title: t("models.group_short"), isNumber: true, cell: (one) => one.group, by: (one) => one.group },
    {
      key: "verdict",
      title: t("models.verdict"),
      cell: (one) => <Standing of={one.verdict} kind="verdict" title={one.reason} />,
      by: (one) => called("verdict", one.verdict),
    },
    { key: "reason", title: t("models.reason"), cell: (one) => one.reason || "–", by: (one) => one.reason },
    {
      key: "standing",
      title: t("models.standing"),
      cell: (one) => called("standing", use(one)?.standing ?? "–"),
      by: (one) => use(one)?.standing ?? "",
    },
    {
      key: "over",
      title: t("models.over"),
      isNumber: true,
      cell: (one) => percent(use(one)?.over, 1),
      by: (one) => use(one)?.over ?? 0,
    },
    {
      key: "rows",
      title: t("models.rows"),
      isNumber: true,
      cell: (one) => number(use(one)?.rows),
      by: (one) => use(one)?.rows ?? 0,
    },
    {
      key: "before",
      title: t("models.before"),
      cell: (one) => (one.before === "own" ? t("models.before_own") : one.before || "–"),
      by: (one) => one.before,
    },
    { key: "told", title: t("models.told_at"), cell: (one) => at(one.told_at), by: (one) => one.told_at ?? "" },
    { key: "back", title: t("models.back_at"), cell: (one) => at(one.back_at), by: (one) => one.back_at ?? "" },
  ];
  return (
    <Part title={t("models.targets")}>
      <Table
        name="members"
        rows={story.members}
        columns={columns}
        id={(one) => `${one.gateway_id}/${one.device}`}
        hasFilter={story.members.length > 10}
        height="360px"
      />
    </Part>
  );
}

function rules(rollout: Rollout): (readonly [string, string])[] {
  return Object.entries(rollout.rules as Record<string, unknown>).map(([name, value]) => [
    called("rule", name),
    rule(name, value),
  ]);
}

function rule(name: string, value: unknown): string {
  if (typeof value === "boolean") return t(value ? "common.yes" : "common.no");
  if (name === "phase") return t(`models.phase_${value === "shadow" ? "shadow" : "serving"}` as TextKey);
  if (name === "error_percent") return t("models.above", { share: percent(Number(value) / 100, 1) });
  if (name.endsWith("_percent")) return percent(Number(value) / 100, 1);
  if (name.endsWith("_s")) return length(Number(value));
  return name === "max_over" || name === "min_agreement" ? percent(value, 1) : number(value);
}
