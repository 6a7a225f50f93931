/** What was sent to a webhook, how each attempt came out, and the way to send it again. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { Mark } from "../../parts/marks";
import { number } from "../../parts/number";
import { Failed, Panel } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { act } from "../../stores/act";
import type { Delivery, Webhook } from "../../stores/webhooks";
import { t, word } from "../../text";
import { at } from "../../time/zone";

export function Deliveries({ of, close }: { of: Webhook; close: () => void }) {
  const opened = useSignal<Delivery | null>(null);
  const asked = useAsked(
    async () => {
      const query = { limit: 500 };
      return (await api.get("/api/v1/webhooks/{webhook_id}/deliveries", { at: { webhook_id: of.id }, query })).data;
    },
    [of.id],
    15,
  );
  const again = async (one: Delivery) => {
    opened.value = null;
    const at = { webhook_id: of.id, delivery_id: one.id };
    await act(() => api.post("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", { at }), {
      done: t("settings.sent_again"),
    });
    await asked.reload();
  };
  return (
    <Panel
      title={t("settings.deliveries", { name: of.name })}
      tools={
        <button type="button" class="button plain" onClick={close}>
          {t("common.close")}
        </button>
      }
    >
      {asked.error && !asked.data ? (
        <Failed error={asked.error} retry={() => void asked.reload()} />
      ) : (
        <Table
          name="deliveries"
          rows={asked.data ?? []}
          columns={columns()}
          id={(one) => one.id}
          open={(one) => {
            opened.value = one;
          }}
          sortedBy="-at"
          height="400px"
          empty={asked.isLoading ? t("common.loading") : t("settings.no_deliveries")}
        />
      )}
      {opened.value && <Shown of={opened.value} close={() => (opened.value = null)} again={again} />}
    </Panel>
  );
}

function columns(): Column<Delivery>[] {
  return [
    { key: "at", title: t("common.time"), cell: (one) => at(one.created_at, "full"), by: (one) => one.created_at },
    { key: "event", title: t("settings.event"), cell: (one) => one.event_type, by: (one) => one.event_type },
    {
      key: "state",
      title: t("common.state"),
      cell: (one) => (isDead(one) ? <Mark of="warning">{word(one.state)}</Mark> : word(one.state)),
      by: (one) => one.state,
    },
    {
      key: "attempts",
      title: t("settings.attempts"),
      cell: (one) => one.attempts,
      by: (one) => one.attempts,
      isNumber: true,
    },
    { key: "last", title: t("settings.last_attempt"), cell: (one) => lastOf(one), by: (one) => lastOf(one) },
  ];
}

const isDead = (one: Delivery): boolean => one.state === "dead" || one.state === "failed";

function lastOf(one: Delivery): string {
  const last = one.log.at(-1);
  if (!last) return "–";
  return last.error || `${last.status_code ?? ""} · ${number(last.seconds, "s", 2)}`;
}

function Shown(props: { of: Delivery; close: () => void; again: (one: Delivery) => Promise<void> }) {
  const { of } = props;
  return (
    <Dialog
      title={of.event_type}
      close={props.close}
      submit={() => void props.again(of)}
      submitText={t("settings.send_again")}
      isWide
    >
      <ol class="stack">
        {of.log.map((one) => (
          <li key={one.at} class="row spread">
            <span>{one.error || `${one.status_code ?? ""}`}</span>
            <span class="quiet nowrap">
              {number(one.seconds, "s", 2)} · {at(one.at, "full")}
            </span>
          </li>
        ))}
      </ol>
      <pre>{JSON.stringify(of.payload, null, 2)}</pre>
    </Dialog>
  );
}
