/** What can be done with a version: sign it, let it serve, bring it to gateways. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { act } from "../../stores/act";
import { hasPackage, type ModelDetails, models, readModel, type Version } from "../../stores/models";
import { may } from "../../stores/session";
import { t } from "../../text";
import { RetrainDialog } from "./retrain";
import { StartDialog } from "./start";

interface Props {
  model: ModelDetails;
  version: Version;
  reload: () => Promise<void>;
}

type Asked = "deploy" | "roll_out" | "retrain";

export function Actions({ model, version, reload }: Props) {
  const asked = useSignal<Asked | null>(null);
  const close = () => {
    asked.value = null;
  };
  const ask = (what: Asked) => () => {
    asked.value = what;
  };
  const isHere = (model.aliases as Record<string, number>).champion === version.version;
  const canRun = hasPackage(version);
  if (!may("models:write")) return null;
  return (
    <div class="actions">
      {canRun && (
        <button type="button" class="button main-action" onClick={ask("roll_out")}>
          {t("models.roll_out")}
        </button>
      )}
      {!isHere && !version.archived_at && (
        <button type="button" class={`button ${canRun ? "" : "main-action"}`} onClick={ask("deploy")}>
          {t("models.deploy")}
        </button>
      )}
      {canRun && !version.published_at && (
        <button type="button" class="button" onClick={() => void publish(model, version).then(reload)}>
          {t("models.publish")}
        </button>
      )}
      {may("admin") && model.type === "anomaly" && (
        <button type="button" class="button" onClick={ask("retrain")}>
          {t("models.retrain")}
        </button>
      )}
      {asked.value === "deploy" && (
        <Confirm
          title={t("models.deploy_title", { n: version.version, name: model.name })}
          text={t("models.deploy_text")}
          action={t("models.deploy")}
          act={() => deploy(model, version).then(reload)}
          close={close}
        />
      )}
      {asked.value === "roll_out" && <StartDialog model={model.name} version={version.version} close={close} />}
      {asked.value === "retrain" && <RetrainDialog model={model.name} close={close} />}
    </div>
  );
}

async function again(name: string, isIt: (told: ModelDetails) => boolean): Promise<boolean> {
  return isIt(await readModel(name));
}

async function publish(model: ModelDetails, version: Version): Promise<void> {
  const request = { at: { model_id: model.name }, body: { version: version.version } };
  await act(() => api.post("/api/v1/models/{model_id}/publish", request), {
    done: t("models.publish_done", { n: version.version }),
    wasDone: () =>
      again(model.name, (told) => Boolean(told.versions.find((one) => one.version === version.version)?.published_at)),
  });
}

async function deploy(model: ModelDetails, version: Version): Promise<void> {
  const body = { version: version.version, target: "cloud" as const, cohort: ["*"], devices: [] };
  await act(() => api.post("/api/v1/models/{model_id}/deploy", { at: { model_id: model.name }, body }), {
    done: t("models.deploy_done", { n: version.version }),
    wasDone: () => again(model.name, (told) => (told.aliases as Record<string, number>).champion === version.version),
  });
  await models.load();
}
