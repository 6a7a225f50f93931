/** Dead letters: what reached nobody, to be sent again or dropped. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { act } from "../../stores/act";
import { type DeadLetter, deadLetters, webhooks } from "../../stores/webhooks";
import { t } from "../../text";
import { at } from "../../time/zone";

const isGone = async (id: string) => {
  await deadLetters.load();
  return deadLetters.get(id) === undefined;
};

function replay(one: DeadLetter) {
  return act(
    async () => {
      await api.post("/api/v1/admin/dlq/{letter_id}/replay", { at: { letter_id: one.id } });
      await deadLetters.load();
    },
    { done: t("system.replayed"), wasDone: () => isGone(one.id) },
  );
}

function drop(ids: readonly string[]) {
  return act(
    async () => {
      for (const id of ids) await api.delete("/api/v1/admin/dlq/{letter_id}", { at: { letter_id: id } });
      await deadLetters.load();
    },
    { done: t("system.letters_dropped"), wasDone: async () => (await Promise.all(ids.map(isGone))).every(Boolean) },
  );
}

export function Letters() {
  useKept(deadLetters, 20);
  useKept(webhooks);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const isDropping = useSignal(false);
  const picked = [...chosen.value].filter((id) => deadLetters.get(id));
  const replayAll = async () => {
    for (const id of picked) {
      const one = deadLetters.get(id);
      if (one) await replay(one);
    }
    chosen.value = new Set();
  };
  return (
    <Ready of={deadLetters} empty={t("system.no_letters")}>
      <Table
        name="letters"
        rows={deadLetters.list.value}
        columns={columns()}
        id={(one) => one.id}
        chosen={chosen}
        sortedBy="-at"
        tools={
          <>
            <button type="button" class="button" disabled={!picked.length} onClick={() => void replayAll()}>
              {t("system.replay")}
            </button>
            <button
              type="button"
              class="button"
              disabled={!picked.length}
              onClick={() => {
                isDropping.value = true;
              }}
            >
              {t("system.drop")}
            </button>
          </>
        }
      />
      {isDropping.value && (
        <Confirm
          title={t("system.drop")}
          text={t("system.drop_says", { n: picked.length })}
          action={t("system.drop")}
          isDanger
          act={() => drop(picked)}
          close={() => {
            isDropping.value = false;
          }}
        />
      )}
    </Ready>
  );
}

function columns(): Column<DeadLetter>[] {
  const target = (one: DeadLetter) => one.target || webhooks.get(one.webhook_id)?.name || one.webhook_id;
  return [
    { key: "at", title: t("common.time"), cell: (one) => at(one.created_at, "full"), by: (one) => one.created_at },
    { key: "event", title: t("system.event"), cell: (one) => one.event_type, by: (one) => one.event_type },
    { key: "target", title: t("system.target"), cell: target, by: target },
    {
      key: "attempts",
      title: t("system.attempts"),
      cell: (one) => one.attempts,
      by: (one) => one.attempts,
      isNumber: true,
    },
    {
      key: "error",
      title: t("system.error"),
      cell: (one) => <span title={one.error}>{one.error}</span>,
      by: (one) => one.error,
    },
  ];
}
