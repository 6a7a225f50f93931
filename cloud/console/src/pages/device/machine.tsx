/** What stands behind a device: the model that judges it at the edge, its newest message as it came, its facts. */
import { Mark } from "../../parts/marks";
import { bytes, number, percent } from "../../parts/number";
import { Pairs, Panel } from "../../parts/panel";
import { Link } from "../../router";
import { type Device, newestOf } from "../../stores/devices";
import { may } from "../../stores/session";
import { heardOf, isSilent } from "../../stores/silence";
import { t, word } from "../../text";
import { ago, at } from "../../time/zone";
import type { Facts, Gateway } from "./data";
import { gatewayOf } from "./head";
import { surveyed } from "./survey";

type EdgeModel = Gateway["models"][number];

export function EdgeModels({ device, gateway }: { device: Device; gateway: Gateway | null }) {
  if (!gateway) return null;
  const models = gateway.models.filter((one) => one.device === device.device_id);
  return (
    <Panel
      title={t("device.edge_model")}
      tools={may("models:read") ? <Link to="/models">{t("device.to_models")}</Link> : undefined}
    >
      {models.length === 0 && <p class="quiet">{t("device.no_edge_model", { gateway: gateway.gateway_id })}</p>}
      {models.map((one) => (
        <EdgeModelFacts key={`${one.name} ${one.version} ${one.standing}`} model={one} />
      ))}
    </Panel>
  );
}

function EdgeModelFacts({ model }: { model: EdgeModel }) {
  const isGood = model.standing === "serving" || model.standing === "shadow";
  return (
    <Pairs
      of={[
        [t("device.model"), `${model.name} · ${t("device.version", { n: model.version })}`],
        [
          t("common.state"),
          <Mark key="state" of={isGood ? "normal" : "warning"}>
            {word(model.standing)}
          </Mark>,
        ],
        ...(model.reason ? [[t("common.reason"), model.reason] as const] : []),
        [t("device.rows"), number(model.rows, "", 7)],
        [t("device.over"), percent(model.over, 2)],
        [t("device.agreement"), model.agreement === null ? "–" : percent(model.agreement, 2)],
        [t("device.invoke"), number(model.invoke_us, "µs", 3)],
        [t("device.size"), bytes(model.bytes)],
      ]}
    />
  );
}

/** The newest message as it came: never a value that seems to be of now when it is not. */
export function LastMessage({ device, since }: { device: Device; since: number }) {
  const newest = newestOf(device.device_id).value;
  const heard = heardOf(device);
  const isOld = isSilent(device, since);
  return (
    <Panel title={t("device.last_message")}>
      <p class={isOld ? "" : "quiet"}>
        {isOld ? (
          <Mark of="offline">
            {Number.isFinite(heard)
              ? t("device.no_data_since", { time: at(heard, "full"), ago: ago(heard) })
              : t("device.never_heard")}
          </Mark>
        ) : (
          `${at(heard, "full")} · ${ago(heard)}`
        )}
      </p>
      {newest ? (
        <table class="device-raw">
          <tbody>
            {Object.entries(newest.values).map(([tag, value]) => (
              <tr key={tag}>
                <th scope="row">{tag}</th>
                <td class="number mono">{String(value ?? "–")}</td>
                <td class="quiet">{surveyed(device.device_id, tag)?.unit}</td>
                <td class="quiet">{newest.quality[tag] === "good" ? "" : word(newest.quality[tag] ?? "")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="quiet">{t("device.no_live_message")}</p>
      )}
    </Panel>
  );
}

export function FactsPanel({ device, facts }: { device: Device; facts: Facts | null }) {
  const rated = facts?.rated_interval_s;
  return (
    <Panel title={t("device.facts")}>
      <Pairs
        of={[
          [
            t("device.id"),
            <span key="id" class="mono">
              {device.device_id}
            </span>,
          ],
          [t("device.type"), device.device_type || "–"],
          [t("device.place"), device.location || "–"],
          [t("common.gateway"), gatewayOf(device) || "–"],
          [t("device.criticality"), percent(facts?.criticality)],
          [t("device.rated_interval"), rated ? number(rated, "s") : t("device.learned")],
          [
            t("device.baseline_since"),
            facts?.baseline_reset_at ? at(facts.baseline_reset_at, "full") : t("device.from_beginning"),
          ],
        ]}
      />
    </Panel>
  );
}
