/** Keys of one's own in the settings: they mean nothing to the cloud, and are there for whoever asks. */
import { useSignal } from "@preact/signals";
import { Dialog } from "../../parts/dialog";
import { FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { Panel } from "../../parts/panel";
import { may } from "../../stores/session";
import { change, type Entry, knownSettings, settings } from "../../stores/settings";
import { toast } from "../../stores/toasts";
import { t } from "../../text";
import { typedValue } from "./fields";

export function Own() {
  const editing = useSignal<Entry | "new" | null>(null);
  const own = settings.list.value.filter((one) => knownSettings.get(one.key) === undefined);
  return (
    <Panel
      title={t("settings.own")}
      tools={
        may("settings:write") && (
          <button
            type="button"
            class="button"
            onClick={() => {
              editing.value = "new";
            }}
          >
            {t("common.add")}
          </button>
        )
      }
    >
      <p class="quiet">{t("settings.own_hint")}</p>
      {own.length > 0 && (
        <dl class="pairs">
          {own.map((one) => [
            <dt key={`${one.key}-t`}>
              <code>{one.key}</code>
            </dt>,
            <dd key={`${one.key}-d`} class="row spread">
              <span>{String(one.value)}</span>
              {may("settings:write") && (
                <button
                  type="button"
                  class="button plain"
                  onClick={() => {
                    editing.value = one;
                  }}
                >
                  {t("common.edit")}
                </button>
              )}
            </dd>,
          ])}
        </dl>
      )}
      {editing.value && (
        <Edit of={editing.value === "new" ? null : editing.value} close={() => (editing.value = null)} />
      )}
    </Panel>
  );
}

function Edit({ of, close }: { of: Entry | null; close: () => void }) {
  const form = useForm(() => ({
    key: [of?.key ?? "", needed, (value: string) => (/^[^.\s]+\.\S+$/.test(value) ? "" : t("settings.own_form"))],
    value: [of ? String(of.value) : "", shorter(2000)],
  }));
  const save = async () => {
    const entry = { key: form.value("key").trim(), value: typedValue(form.value("value")) };
    if (!(await form.submit(() => change([entry])))) return;
    toast("good", t("settings.saved"));
    close();
  };
  return (
    <Dialog title={t("settings.own")} close={close} submit={() => void save()} isBusy={form.isBusy.value}>
      <Input
        field={form.fields.key}
        label={t("common.name")}
        hint={t("settings.own_form")}
        disabled={of !== null}
        autoFocus
      />
      <Input field={form.fields.value} label={t("common.value")} hint={t("settings.own_value")} />
      <FormIssue form={form} />
    </Dialog>
  );
}
