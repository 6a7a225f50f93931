/** Webhooks: who is told of what, whether it arrives, and a test. */
import { type Signal, useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { Dialog } from "../../parts/dialog";
import { Chip, Mark } from "../../parts/marks";
import { Panel, Ready } from "../../parts/panel";
import { Copyable } from "../../parts/secret";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import { act } from "../../stores/act";
import { type Webhook, webhooks } from "../../stores/webhooks";
import { t, word } from "../../text";
import { Deliveries } from "./deliveries";
import { tellTrial } from "./trial";
import { WebhookForm } from "./webhook-form";

type Asking = { what: "new" } | { what: "edit" | "rotate" | "remove"; of: Webhook };

export function Webhooks() {
  useKept(webhooks, 30);
  const asking = useSignal<Asking | null>(null);
  const secret = useSignal<{ name: string; text: string } | null>(null);
  const opened = webhooks.get(query.value.get("webhook") ?? "");
  return (
    <>
      <Panel
        title={t("settings.tab_webhooks")}
        tools={
          <button
            type="button"
            class="button main-action"
            onClick={() => {
              asking.value = { what: "new" };
            }}
          >
            {t("settings.new_webhook")}
          </button>
        }
      >
        <Ready of={webhooks} empty={t("settings.no_webhooks")}>
          <Table
            name="webhooks"
            rows={webhooks.list.value}
            columns={columns(asking)}
            id={(one) => one.id}
            sortedBy="name"
            open={(one) => setQuery({ webhook: one.id })}
            opened={opened?.id}
          />
        </Ready>
        <p class="quiet">
          {t("settings.dead_letters_hint")} <Link to="/system?tab=letters">{t("settings.dead_letters")}</Link>
        </p>
      </Panel>
      {opened && <Deliveries key={opened.id} of={opened} close={() => setQuery({ webhook: null })} />}
      <Dialogs asking={asking} secret={secret} />
    </>
  );
}

interface DialogsProps {
  asking: Signal<Asking | null>;
  secret: Signal<{ name: string; text: string } | null>;
}

function Dialogs({ asking, secret }: DialogsProps) {
  const close = () => {
    asking.value = null;
  };
  const show = (name: string, text: string) => {
    secret.value = { name, text };
  };
  const one = asking.value;
  return (
    <>
      {one?.what === "new" && <WebhookForm of={null} close={close} made={show} />}
      {one?.what === "edit" && <WebhookForm of={one.of} close={close} made={show} />}
      {one?.what === "rotate" && (
        <Confirm
          title={`${t("settings.secret_rotate")}: ${one.of.name}`}
          text={t("settings.secret_rotate_says")}
          action={t("settings.rotate")}
          act={() => rotate(one.of, show)}
          close={close}
        />
      )}
      {one?.what === "remove" && (
        <Confirm
          title={`${t("common.delete")}: ${one.of.name}`}
          text={t("settings.webhook_remove_says")}
          action={t("common.delete")}
          isDanger
          act={() => remove(one.of)}
          close={close}
        />
      )}
      {secret.value && (
        <Dialog title={`${t("settings.secret_of")} ${secret.value.name}`} close={() => (secret.value = null)}>
          <p>{t("settings.secret_once")}</p>
          <Copyable value={secret.value.text} label={secret.value.name} />
        </Dialog>
      )}
    </>
  );
}

function rotate(of: Webhook, show: (name: string, text: string) => void) {
  return act(
    async () => {
      const { data } = await api.post("/api/v1/webhooks/{webhook_id}/rotate", { at: { webhook_id: of.id } });
      show(of.name, data.secret);
    },
    { done: t("settings.secret_rotated") },
  );
}

function remove(of: Webhook) {
  return act(
    async () => {
      await api.delete("/api/v1/webhooks/{webhook_id}", { at: { webhook_id: of.id } });
      await webhooks.load();
    },
    {
      done: t("settings.removed"),
      wasDone: async () => {
        await webhooks.load();
        return webhooks.get(of.id) === undefined;
      },
    },
  );
}

function columns(asking: Signal<Asking | null>): Column<Webhook>[] {
  const test = (one: Webhook) =>
    void tellTrial(() => api.post("/api/v1/webhooks/{webhook_id}/test", { at: { webhook_id: one.id } }));
  const ask = (what: "edit" | "rotate" | "remove", of: Webhook) => {
    asking.value = { what, of };
  };
  return [
    { key: "name", title: t("common.name"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "url",
      title: t("settings.target"),
      cell: (one) => <span title={one.url}>{one.url}</span>,
      by: (one) => one.url,
    },
    {
      key: "events",
      title: t("settings.events"),
      cell: (one) => <span title={one.events.join(", ")}>{one.events.join(", ") || t("settings.all_events")}</span>,
      by: (one) => one.events.join(", "),
    },
    {
      key: "least",
      title: t("settings.least"),
      cell: (one) => (one.severity ? word(one.severity) : "–"),
      by: (one) => one.severity ?? "",
    },
    { key: "state", title: t("common.state"), cell: (one) => <StateOf of={one} />, by: (one) => one.circuit_state },
    {
      key: "actions",
      title: t("common.actions"),
      cell: (one) => (
        <span class="row nowrap">
          <button type="button" class="button plain" onClick={() => test(one)}>
            {t("settings.test")}
          </button>
          <button type="button" class="button plain" onClick={() => ask("edit", one)}>
            {t("common.edit")}
          </button>
          <button type="button" class="button plain" onClick={() => ask("rotate", one)}>
            {t("settings.rotate")}
          </button>
          <button type="button" class="button plain" onClick={() => ask("remove", one)}>
            {t("common.delete")}
          </button>
        </span>
      ),
    },
  ];
}

function StateOf({ of }: { of: Webhook }) {
  if (!of.enabled) return <Chip>{t("settings.off")}</Chip>;
  if (of.circuit_state === "closed") return <>{t("settings.circuit_closed")}</>;
  return <Mark of="warning">{t(of.circuit_state === "open" ? "settings.circuit_open" : "settings.circuit_half")}</Mark>;
}
