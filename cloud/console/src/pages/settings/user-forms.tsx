/** The dialogs that make users and invites, and give a user another password. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { Copyable } from "../../parts/secret";
import { toast } from "../../stores/toasts";
import { invites, ROLES, type Role, type User, users } from "../../stores/users";
import { t, word } from "../../text";
import { goodPassword } from "./password";

const roles = () => ROLES.map((one) => [one, word(one)] as const);

export function NewUser({ close }: { close: () => void }) {
  const form = useForm(() => ({
    username: ["", needed, shorter(64)],
    email: ["", needed, shorter(254)],
    password: ["", goodPassword],
    role: ["user"],
  }));
  const make = async () => {
    const { username, email, password, role } = form.fields;
    const isDone = await form.submit(async () => {
      await api.post("/api/v1/users", {
        body: {
          username: username.value.value.trim(),
          email: email.value.value.trim(),
          password: password.value.value,
          role: role.value.value as Role,
        },
      });
      await users.load();
    });
    if (!isDone) return;
    toast("good", t("settings.user_made"));
    close();
  };
  return (
    <Dialog
      title={t("settings.new_user")}
      close={close}
      submit={() => void make()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value}
    >
      <Input field={form.fields.username} label={t("common.name")} autoComplete="off" autoFocus />
      <Input field={form.fields.email} label={t("shell.email")} type="email" autoComplete="off" />
      <Input
        field={form.fields.password}
        label={t("shell.password")}
        hint={t("shell.password_rule")}
        type="password"
        autoComplete="new-password"
      />
      <Input field={form.fields.role} label={t("shell.role")} options={roles()} />
      <FormIssue form={form} />
    </Dialog>
  );
}

export function NewInvite({ close }: { close: () => void }) {
  const token = useSignal("");
  const form = useForm(() => ({
    role: ["user"],
    email: ["", shorter(254)],
    expires_in_hours: ["168", needed, between(1, 2160)],
  }));
  const make = () =>
    form.submit(async () => {
      const { role, email, expires_in_hours } = form.fields;
      const { data } = await api.post("/api/v1/users/invites", {
        body: {
          role: role.value.value as Role,
          email: email.value.value.trim(),
          expires_in_hours: Number(expires_in_hours.value.value),
        },
      });
      token.value = data.token;
      await invites.load();
    });
  if (token.value) {
    return (
      <Dialog title={t("settings.invite")} close={close}>
        <p>{t("settings.invite_once")}</p>
        <Copyable value={token.value} label={t("settings.invite")} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t("settings.invite")}
      close={close}
      submit={() => void make()}
      submitText={t("common.create")}
      isBusy={form.isBusy.value}
    >
      <Input field={form.fields.role} label={t("shell.role")} options={roles()} />
      <Input
        field={form.fields.email}
        label={`${t("shell.email")} (${t("common.optional")})`}
        hint={t("settings.invite_email_hint")}
        type="email"
        autoFocus
      />
      <Input field={form.fields.expires_in_hours} label={t("settings.invite_hours")} type="number" />
      <FormIssue form={form} />
    </Dialog>
  );
}

export function NewPassword({ of, close }: { of: User; close: () => void }) {
  const form = useForm(() => ({ password: ["", goodPassword] }));
  const set = async () => {
    const isDone = await form.submit(() =>
      api.put("/api/v1/users/{user_id}/password", {
        at: { user_id: of.id },
        body: { password: form.value("password") },
      }),
    );
    if (!isDone) return;
    toast("good", t("settings.password_set"));
    close();
  };
  return (
    <Dialog
      title={`${t("shell.password")}: ${of.username}`}
      close={close}
      submit={() => void set()}
      isBusy={form.isBusy.value}
    >
      <Input
        field={form.fields.password}
        label={t("settings.password_new")}
        hint={t("shell.password_rule")}
        type="password"
        autoComplete="new-password"
        autoFocus
      />
      <p class="quiet">{t("settings.password_set_says")}</p>
      <FormIssue form={form} />
    </Dialog>
  );
}
