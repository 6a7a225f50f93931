/** Log in, and back to where one was; the first administrator by the set-up token. */
import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { FormIssue, Input, needed, useForm } from "../parts/form";
import { go, Link, path } from "../router";
import { appName } from "../stores/plant";
import { access, logIn } from "../stores/session";
import { t } from "../text";

export function Login() {
  const form = useForm(() => ({ username: ["", needed], password: ["", needed] }));
  const enter = () =>
    form.submit(async () => {
      await logIn(form.value("username"), form.value("password"));
      if (path.value === "/login" || path.value === "/setup") go("/", { replace: true });
    });
  return (
    <main class="login" id="main" tabIndex={-1}>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <h1>{t("shell.login_title", { app: appName.value })}</h1>
        {access.value === "expired" && (
          <p role="status" class="banner">
            {t("shell.expired")}
          </p>
        )}
        <Input field={form.fields.username} label={t("shell.user_name")} autoComplete="username" autoFocus />
        <Input
          field={form.fields.password}
          label={t("shell.password")}
          type="password"
          autoComplete="current-password"
        />
        <FormIssue form={form} />
        <button type="submit" class="button main-action" disabled={form.isBusy.value}>
          {t("shell.log_in")}
        </button>
        <Link to="/setup">{t("shell.first_admin")}</Link>
      </form>
    </main>
  );
}

export function Setup() {
  const isDone = useSignal(false);
  const form = useForm(() => ({
    invite: ["", needed],
    username: ["", needed],
    email: ["", needed],
    password: ["", needed],
  }));
  const make = async () => {
    const { invite, username, email, password } = form.fields;
    isDone.value = await form.submit(() =>
      api.post("/api/v1/auth/register", {
        body: {
          username: username.value.value,
          email: email.value.value,
          password: password.value.value,
          invite: invite.value.value.trim(),
        },
      }),
    );
  };
  return (
    <main class="login" id="main" tabIndex={-1}>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <h1>{t("shell.setup_title")}</h1>
        {isDone.value ? (
          <p role="status">{t("shell.setup_done")}</p>
        ) : (
          <>
            <p class="quiet">{t("shell.setup_hint")}</p>
            <Input field={form.fields.invite} label={t("shell.setup_token")} autoComplete="off" autoFocus />
            <Input field={form.fields.username} label={t("common.name")} autoComplete="username" />
            <Input field={form.fields.email} label={t("shell.email")} type="email" autoComplete="email" />
            <Input
              field={form.fields.password}
              label={t("shell.password")}
              type="password"
              hint={t("shell.password_rule")}
              autoComplete="new-password"
            />
            <FormIssue form={form} />
            <button type="submit" class="button main-action" disabled={form.isBusy.value}>
              {t("common.create")}
            </button>
          </>
        )}
        <Link to="/login">{t("shell.back_to_login")}</Link>
      </form>
    </main>
  );
}
