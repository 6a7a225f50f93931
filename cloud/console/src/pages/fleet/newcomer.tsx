/** What an empty system shows: the way to the first device, command by command. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Panel } from "../../parts/panel";
import { Link } from "../../router";
import { devices } from "../../stores/devices";
import { may } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

const LOOK_MS = 3_000;
const MQTT_PORT = 1883;

export function Newcomer() {
  useEffect(() => {
    const timer = setInterval(() => void devices.load(), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const uplink = `uplink:\n  host: ${location.hostname}\n  port: ${MQTT_PORT}`;
  const reading = '{"sensor_id": "pump-1", "sensor_type": "temperature", "value": 25.5, "unit": "°C"}';
  const send = `curl -X POST ${location.origin}/api/v1/data/ingest \\\n  -H "X-API-Key: $KEY" -H "Content-Type: application/json" \\\n  -d '${reading}'`;
  return (
    <div class="newcomer stack">
      <Panel title={t("fleet.guide_title")} tools={<Looking />}>
        <p>{t("fleet.guide_lead")}</p>
      </Panel>
      <div class="grid">
        <Panel title={t("fleet.guide_gateway")}>
          <ol class="steps">
            <Step text={t("fleet.guide_scan")} command="lineside-agent scan modbus HOST --output agent.yaml" />
            <Step text={t("fleet.guide_check")} command="lineside-agent check agent.yaml" />
            <Step text={t("fleet.guide_test")} command="lineside-agent test --once agent.yaml" />
            <Step text={t("fleet.guide_run")} command="lineside-agent run agent.yaml" />
          </ol>
        </Panel>
        <div class="stack">
          <Panel title={t("fleet.guide_uplink")}>
            <p>{t("fleet.guide_broker")}</p>
            <Command text={uplink} />
            <p class="quiet">{t("fleet.guide_broker_more")}</p>
          </Panel>
          <Panel title={t("fleet.guide_direct")}>
            <p>
              {t("fleet.guide_key")} {may("admin") && <Link to="/settings?tab=keys">{t("fleet.to_settings")}</Link>}
            </p>
            <Command text="export KEY=$(cat admin.key)" />
            <p>{t("fleet.guide_send")}</p>
            <Command text={send} />
          </Panel>
          <Panel title={t("fleet.guide_demo")}>
            <Command text="make demo" />
          </Panel>
        </div>
      </div>
    </div>
  );
}

function Looking() {
  return (
    <span class="quiet" role="status">
      {t("fleet.guide_watch")}
    </span>
  );
}

function Step({ text, command }: { text: ComponentChildren; command: string }) {
  return (
    <li>
      <p>{text}</p>
      <Command text={command} />
    </li>
  );
}

function Command({ text }: { text: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast("good", t("common.copied"));
  };
  return (
    <div class="command">
      <pre>{text}</pre>
      {"clipboard" in navigator && (
        <button
          type="button"
          class="button plain"
          aria-label={`${t("common.copy")}: ${text}`}
          onClick={() => void copy()}
        >
          {t("common.copy")}
        </button>
      )}
    </div>
  );
}
