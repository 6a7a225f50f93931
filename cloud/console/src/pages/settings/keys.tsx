/** API keys of programs: made and shown once, rotated with an overlap, revoked. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Choices } from "../../parts/choices";
import { Confirm } from "../../parts/confirm";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { Chip } from "../../parts/marks";
import { Panel, Ready } from "../../parts/panel";
import { Copyable } from "../../parts/secret";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { act } from "../../stores/act";
import { type Key, keyState, keys, SCOPES } from "../../stores/keys";
import { settings } from "../../stores/settings";
import { type TextKey, t } from "../../text";
import { ago, at, now } from "../../time/zone";

interface Shown {
  name: string;
  text: string;
  note: string;
}

export function Keys() {
  useKept(keys, 60);
  useKept(settings);
  const isMaking = useSignal(false);
  const shown = useSignal<Shown | null>(null);
  const asking = useSignal<{ what: "rotate" | "revoke"; key: Key } | null>(null);
  const hours = Number(settings.get("access.keyOverlapHours")?.value ?? 24);
  const rotate = (key: Key) =>
    act(
      async () => {
        const { data } = await api.post("/api/v1/keys/{key_id}/rotate", { at: { key_id: key.id } });
        shown.value = {
          name: key.name,
          text: data.new.key,
          note: t("settings.rotated", { until: at(data.old.expires_at) }),
        };
        await keys.load();
      },
      // The text of a new key is told once: where its answer was lost, it has to be rotated again.
      { done: t("settings.rotate_done") },
    );
  const revoke = (key: Key) =>
    act(
      async () => {
        await api.delete("/api/v1/keys/{key_id}", { at: { key_id: key.id } });
        await keys.load();
      },
      {
        done: t("settings.revoke_done"),
        wasDone: async () => {
          const { data } = await api.get("/api/v1/keys/{key_id}", { at: { key_id: key.id } });
          return data.revoked_at !== null;
        },
      },
    );
  const carryOut = async (one: typeof asking.value) => {
    if (one) await (one.what === "rotate" ? rotate(one.key) : revoke(one.key));
  };
  return (
    <Panel
      title={t("settings.tab_keys")}
      tools={
        <button
          type="button"
          class="button main-action"
          onClick={() => {
            isMaking.value = true;
          }}
        >
          {t("settings.new_key")}
        </button>
      }
    >
      <Ready of={keys} empty={t("settings.no_keys")}>
        <Table
          name="keys"
          rows={keys.list.value}
          columns={columns((what, key) => {
            asking.value = { what, key };
          })}
          id={(one) => one.id}
          sortedBy="name"
        />
      </Ready>
      {isMaking.value && (
        <NewKey
          close={() => {
            isMaking.value = false;
          }}
          made={(one) => {
            shown.value = one;
          }}
        />
      )}
      {shown.value && <ShownOnce of={shown.value} close={() => (shown.value = null)} />}
      {asking.value && (
        <Confirm
          title={`${t(`settings.${asking.value.what}` as TextKey)}: ${asking.value.key.name}`}
          text={asking.value.what === "rotate" ? t("settings.rotate_says", { n: hours }) : t("settings.revoke_says")}
          action={t(`settings.${asking.value.what}` as TextKey)}
          isDanger={asking.value.what === "revoke"}
          act={() => carryOut(asking.value)}
          close={() => (asking.value = null)}
        />
      )}
    </Panel>
  );
}

function columns(ask: (what: "rotate" | "revoke", key: Key) => void): Column<Key>[] {
  return [
    { key: "name", title: t("common.name"), cell: (one) => one.name, by: (one) => one.name },
    { key: "id", title: "Id", cell: (one) => <code>{one.id}</code>, by: (one) => one.id },
    {
      key: "scopes",
      title: t("settings.scopes"),
      cell: (one) => <span title={one.scopes.join(", ")}>{one.scopes.join(", ")}</span>,
      by: (one) => one.scopes.join(", "),
    },
    {
      key: "state",
      title: t("common.state"),
      cell: (one) => <StateOf of={one} />,
      by: (one) => keyState(one, now.value),
    },
    {
      key: "used",
      title: t("settings.last_used"),
      cell: (one) => (one.last_used_at ? ago(one.last_used_at) : "–"),
      by: (one) => one.last_used_at ?? "",
    },
    { key: "made", title: t("settings.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    { key: "ends", title: t("settings.ends"), cell: (one) => at(one.expires_at), by: (one) => one.expires_at ?? "9" },
    {
      key: "actions",
      title: t("common.actions"),
      cell: (one) => {
        const state = keyState(one, now.value);
        return (
          <span class="row nowrap">
            {state === "good" && (
              <button type="button" class="button plain" onClick={() => ask("rotate", one)}>
                {t("settings.rotate")}
              </button>
            )}
            {(state === "good" || state === "rotated") && (
              <button type="button" class="button plain" onClick={() => ask("revoke", one)}>
                {t("settings.revoke")}
              </button>
            )}
          </span>
        );
      },
    },
  ];
}

function StateOf({ of }: { of: Key }) {
  const state = keyState(of, now.value);
  if (state === "good") return <>{t("settings.key_good")}</>;
  return (
    <Chip title={state === "rotated" ? at(of.expires_at) : undefined}>
      {state === "rotated"
        ? t("settings.key_rotated", { time: ago(of.expires_at) })
        : t(`settings.key_${state}` as TextKey)}
    </Chip>
  );
}

function ShownOnce({ of, close }: { of: Shown; close: () => void }) {
  return (
    <Dialog title={`${t("settings.key_of")} ${of.name}`} close={close}>
      <p>{t("settings.shown_once")}</p>
      <Copyable value={of.text} label={of.name} />
      {of.note && <p>{of.note}</p>}
    </Dialog>
  );
}

function NewKey({ close, made }: { close: () => void; made: (one: Shown) => void }) {
  const scopes = useSignal<ReadonlySet<string>>(new Set(["data:read"]));
  const form = useForm(() => ({
    name: ["", needed, shorter(200)],
    expires_in_days: ["", between(1, 3650)],
    scopes: [""],
  }));
  const make = async () => {
    const isDone = await form.submit(async () => {
      const days = form.value("expires_in_days").trim();
      const name = form.value("name").trim();
      const { data } = await api.post("/api/v1/keys", {
        body: {
          name,
          scopes: SCOPES.filter((one) => scopes.value.has(one)),
          expires_in_days: days ? Number(days) : null,
        },
      });
      await keys.load();
      made({ name, text: data.key, note: "" });
    });
    if (isDone) close();
  };
  return (
    <Dialog
      title={t("settings.new_key")}
      close={close}
      submit={() => void make()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value || !scopes.value.size}
      isWide
    >
      <Input field={form.fields.name} label={t("common.name")} hint={t("settings.key_name_hint")} autoFocus />
      <Choices
        label={t("settings.scopes")}
        options={SCOPES.map((one) => [one, `${one} – ${t(`settings.scope_${one.replace(":", "_")}` as TextKey)}`])}
        chosen={scopes}
        issue={form.fields.scopes.shownIssue}
      />
      <Input
        field={form.fields.expires_in_days}
        label={`${t("settings.days")} (${t("common.optional")})`}
        hint={t("settings.days_hint")}
        type="number"
      />
      <FormIssue form={form} />
    </Dialog>
  );
}
