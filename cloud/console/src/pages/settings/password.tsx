/** One's own password. */

import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { type Check, FormIssue, Input, needed, useForm } from "../../parts/form";
import { Panel } from "../../parts/panel";
import { askWho } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

/** What a password must be at least; the server checks the rest. */
export const goodPassword: Check = (value) => (value.length >= 10 ? "" : t("shell.password_rule"));

export function Password() {
  const wanted = useSignal("");
  const form = useForm(() => ({
    current_password: ["", needed],
    new_password: ["", goodPassword],
    again: ["", (value: string) => (value === wanted.value ? "" : t("settings.password_differs"))],
  }));
  wanted.value = form.value("new_password");
  const save = async () => {
    const { current_password, new_password } = form.fields;
    const isDone = await form.submit(() =>
      api.post("/api/v1/auth/password", {
        body: { current_password: current_password.value.value, new_password: new_password.value.value },
      }),
    );
    if (!isDone) return;
    toast("good", t("settings.password_done"));
    // All sessions of this person ended, this one too.
    await askWho();
  };
  return (
    <Panel title={t("settings.tab_password")} class="narrow">
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Input
          field={form.fields.current_password}
          label={t("settings.password_now")}
          type="password"
          autoComplete="current-password"
        />
        <Input
          field={form.fields.new_password}
          label={t("settings.password_new")}
          hint={t("shell.password_rule")}
          type="password"
          autoComplete="new-password"
        />
        <Input
          field={form.fields.again}
          label={t("settings.password_again")}
          type="password"
          autoComplete="new-password"
        />
        <p class="quiet">{t("settings.password_says")}</p>
        <FormIssue form={form} />
        <div>
          <button type="submit" class="button main-action" disabled={form.isBusy.value}>
            {t("settings.password_change")}
          </button>
        </div>
      </form>
    </Panel>
  );
}
