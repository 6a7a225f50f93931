/** Users and invites: who may come in, and as what. */
import { type Signal, useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { Chip } from "../../parts/marks";
import { Panel, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { who } from "../../parts/who";
import { act } from "../../stores/act";
import { type Invite, inviteState, invites, ROLES, type Role, type User, users } from "../../stores/users";
import { type TextKey, t, word } from "../../text";
import { ago, at, now } from "../../time/zone";
import { NewInvite, NewPassword, NewUser } from "./user-forms";

export type Asking =
  | { what: "user" | "invite" }
  | { what: "password" | "remove"; user: User }
  | { what: "revoke"; invite: Invite };

export function Users() {
  useKept(users, 60);
  useKept(invites, 60);
  const asking = useSignal<Asking | null>(null);
  const tools = (
    <>
      <Open asking={asking} what="invite" text={t("settings.invite")} />
      <Open asking={asking} what="user" text={t("settings.new_user")} isMain />
    </>
  );
  return (
    <>
      <Panel title={t("settings.tab_users")} tools={tools}>
        <Ready of={users} empty={t("common.none")}>
          <Table
            name="users"
            rows={users.list.value}
            columns={userColumns(asking)}
            id={(one) => String(one.id)}
            sortedBy="name"
          />
        </Ready>
      </Panel>
      <Panel title={t("settings.invites")}>
        <Table
          name="invites"
          rows={invites.list.value}
          columns={inviteColumns(asking)}
          id={(one) => String(one.id)}
          sortedBy="-made"
          hasFilter={invites.size > 10}
          height="300px"
          empty={t("settings.no_invites")}
        />
      </Panel>
      <Dialogs asking={asking} />
    </>
  );
}

function Open(props: { asking: Signal<Asking | null>; what: "user" | "invite"; text: string; isMain?: boolean }) {
  return (
    <button
      type="button"
      class={`button ${props.isMain ? "main-action" : ""}`}
      onClick={() => {
        props.asking.value = { what: props.what };
      }}
    >
      {props.text}
    </button>
  );
}

function Dialogs({ asking }: { asking: Signal<Asking | null> }) {
  const close = () => {
    asking.value = null;
  };
  const one = asking.value;
  switch (one?.what) {
    case "user":
      return <NewUser close={close} />;
    case "invite":
      return <NewInvite close={close} />;
    case "password":
      return <NewPassword of={one.user} close={close} />;
    case "remove":
      return (
        <Confirm
          title={`${t("common.delete")}: ${one.user.username}`}
          text={t("settings.remove_says")}
          action={t("common.delete")}
          isDanger
          act={() => remove(one.user)}
          close={close}
        />
      );
    case "revoke":
      return (
        <Confirm
          title={t("settings.invite_revoke")}
          text={t("settings.invite_revoke_says")}
          action={t("settings.invite_revoke")}
          isDanger
          act={() => takeBack(one.invite)}
          close={close}
        />
      );
    default:
      return null;
  }
}

const isGone = async (id: number) => {
  await users.load();
  return users.get(String(id)) === undefined;
};

function remove(user: User) {
  return act(
    async () => {
      await api.delete("/api/v1/users/{user_id}", { at: { user_id: user.id } });
      await users.load();
    },
    { done: t("settings.removed"), wasDone: () => isGone(user.id) },
  );
}

function takeBack(invite: Invite) {
  return act(
    async () => {
      await api.delete("/api/v1/users/invites/{invite_id}", { at: { invite_id: invite.id } });
      await invites.load();
    },
    {
      done: t("settings.invite_revoked"),
      wasDone: async () => {
        await invites.load();
        return Boolean(invites.get(String(invite.id))?.revoked_at);
      },
    },
  );
}

/** Change a user; the table shows what the server holds, whatever came of it. */
function patch(user: User, body: { role?: Role; disabled?: boolean }) {
  return act(
    async () => {
      try {
        await api.patch("/api/v1/users/{user_id}", { at: { user_id: user.id }, body });
      } finally {
        await users.load();
      }
    },
    {
      done: t("settings.saved"),
      wasDone: async () => {
        await users.load();
        const found = users.get(String(user.id));
        return found?.role === (body.role ?? found?.role) && found?.disabled === (body.disabled ?? found?.disabled);
      },
    },
  );
}

function userColumns(asking: Signal<Asking | null>): Column<User>[] {
  return [
    {
      key: "name",
      title: t("common.name"),
      cell: (one) => (
        <span class="row nowrap">
          {one.username}
          {one.disabled && <Chip>{t("settings.disabled")}</Chip>}
        </span>
      ),
      by: (one) => one.username,
    },
    { key: "email", title: t("shell.email"), cell: (one) => one.email, by: (one) => one.email },
    {
      key: "role",
      title: t("shell.role"),
      cell: (one) => (
        <select
          key={`${one.role} ${users.loadedAt.value}`}
          aria-label={`${t("shell.role")}: ${one.username}`}
          value={one.role}
          onChange={(event) => void patch(one, { role: event.currentTarget.value as Role })}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {word(role)}
            </option>
          ))}
        </select>
      ),
      by: (one) => one.role,
    },
    {
      key: "seen",
      title: t("settings.last_login"),
      cell: (one) =>
        one.last_login_at ? <span title={at(one.last_login_at, "full")}>{ago(one.last_login_at)}</span> : "–",
      by: (one) => one.last_login_at ?? "",
    },
    { key: "made", title: t("settings.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    {
      key: "actions",
      title: t("common.actions"),
      cell: (one) => (
        <span class="row nowrap">
          <button type="button" class="button plain" onClick={() => (asking.value = { what: "password", user: one })}>
            {t("shell.password")}
          </button>
          <button type="button" class="button plain" onClick={() => void patch(one, { disabled: !one.disabled })}>
            {t(one.disabled ? "settings.enable" : "settings.disable")}
          </button>
          <button type="button" class="button plain" onClick={() => (asking.value = { what: "remove", user: one })}>
            {t("common.delete")}
          </button>
        </span>
      ),
    },
  ];
}

function inviteColumns(asking: Signal<Asking | null>): Column<Invite>[] {
  return [
    { key: "role", title: t("shell.role"), cell: (one) => word(one.role), by: (one) => one.role },
    {
      key: "email",
      title: t("shell.email"),
      cell: (one) => one.email || t("settings.any_address"),
      by: (one) => one.email,
    },
    {
      key: "state",
      title: t("common.state"),
      cell: (one) => <Chip>{t(`settings.invite_${inviteState(one, now.value)}` as TextKey)}</Chip>,
      by: (one) => inviteState(one, now.value),
    },
    { key: "by", title: t("common.by"), cell: (one) => who(one.created_by), by: (one) => one.created_by },
    { key: "made", title: t("settings.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    { key: "ends", title: t("settings.ends"), cell: (one) => at(one.expires_at), by: (one) => one.expires_at },
    {
      key: "actions",
      title: t("common.actions"),
      cell: (one) =>
        inviteState(one, now.value) === "open" ? (
          <button type="button" class="button plain" onClick={() => (asking.value = { what: "revoke", invite: one })}>
            {t("settings.invite_revoke")}
          </button>
        ) : (
          one.used_by
        ),
    },
  ];
}
