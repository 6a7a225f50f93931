/** What the cloud advises to do about the device, with the evidence; accepting it asks for a decision. */
import { api } from "../../api/client";
import { Chip } from "../../parts/marks";
import { number } from "../../parts/number";
import { Panel } from "../../parts/panel";
import type { Asked } from "../../parts/use";
import { adviceSays } from "../../says/advice";
import { act } from "../../stores/act";
import { newKey } from "../../stores/once";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { ago } from "../../time/zone";
import type { Recommendation } from "./data";

const TONES: Record<string, string> = { critical: "critical", high: "warning" };

export function Advice({ asked }: { asked: Asked<readonly Recommendation[]> }) {
  const list = asked.data ?? [];
  if (!list.length) return null;
  return (
    <Panel title={t("device.advice")}>
      <ul class="device-advice">
        {list.map((one) => (
          <Item key={one.id} of={one} reload={asked.reload} />
        ))}
      </ul>
    </Panel>
  );
}

function Item({ of, reload }: { of: Recommendation; reload: () => Promise<void> }) {
  const said = adviceSays(of);
  const decide = async (choice: "accept" | "dismiss") => {
    const at = { recommendation_id: of.id };
    const idempotencyKey = newKey();
    await act(
      () =>
        choice === "accept"
          ? api.post("/api/v1/recommendations/{recommendation_id}/accept", { at, body: {}, idempotencyKey })
          : api.post("/api/v1/recommendations/{recommendation_id}/dismiss", { at, body: {}, idempotencyKey }),
      {
        done: t(choice === "accept" ? "device.accepted" : "device.dismissed"),
        wasDone: async () => {
          const { data } = await api.get("/api/v1/recommendations/{recommendation_id}", { at });
          return data.state === (choice === "accept" ? "accepted" : "dismissed");
        },
      },
    );
    await reload();
  };
  return (
    <li>
      <div class="row">
        <Chip of={TONES[of.priority_level] ?? ""}>{word(of.priority_level)}</Chip>
        <b>{said.title}</b>
      </div>
      <p>{said.action}</p>
      <ul class="evidence">
        {of.evidence.map((one) => (
          <li key={`${one.kind} ${one.id}`} class="quiet">
            {word(one.kind)}: {factsText(one.facts)}
          </li>
        ))}
      </ul>
      <div class="row">
        <span class="quiet grow">
          {word(of.timeframe)} · {ago(of.created_at)}
        </span>
        {may("tasks:update") && (
          <>
            <button type="button" class="button" onClick={() => void decide("dismiss")}>
              {t("device.dismiss")}
            </button>
            <button type="button" class="button main-action" onClick={() => void decide("accept")}>
              {t("device.accept")}
            </button>
          </>
        )}
      </div>
    </li>
  );
}

/** The figures of a piece of evidence in words; times of its making are left out. */
function factsText(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .filter(([name, value]) => !name.endsWith("_at") && ["number", "string"].includes(typeof value))
    .map(([name, value]) => `${word(name)} ${number(value, "", 3)}`)
    .join(", ");
}
