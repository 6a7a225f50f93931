/** The list of what needs attention: worst first, the reason in words, what to do and a way there. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Shape } from "../../parts/marks";
import { percent } from "../../parts/number";
import { Panel } from "../../parts/panel";
import { Link } from "../../router";
import { adviceSays } from "../../says/advice";
import { alarmSays, serverSays } from "../../says/alarm";
import { act } from "../../stores/act";
import { recommendations } from "../../stores/recommendations";
import { may } from "../../stores/session";
import { type TextKey, t, word } from "../../text";
import { ago, at } from "../../time/zone";
import { deviceLink } from "../alarms/window";
import { type Attention, GOOD_HEALTH } from "./judge";

const FIRST = 12;

export function AttentionList({ of }: { of: readonly Attention[] }) {
  const isOpen = useSignal(false);
  const shown = isOpen.value ? of.slice(0, 500) : of.slice(0, FIRST);
  return (
    <Panel title={t("fleet.attention")} class="attention" tools={<span class="count">{of.length}</span>}>
      {of.length === 0 ? (
        <div class="quiet">
          <p>{t("fleet.attention_none")}</p>
          <p>{t("fleet.attention_none_more")}</p>
        </div>
      ) : (
        <ol>
          {shown.map((one) => (
            <Entry key={one.key} of={one} />
          ))}
        </ol>
      )}
      {of.length > FIRST && !isOpen.value && (
        <button
          type="button"
          class="button"
          onClick={() => {
            isOpen.value = true;
          }}
        >
          {t("fleet.attention_rest", { n: Math.min(of.length, 500) - FIRST })}
        </button>
      )}
    </Panel>
  );
}

function Entry({ of: one }: { of: Attention }) {
  const tone = one.why === "gateway" ? "offline" : one.tone;
  return (
    <li class={`entry ${one.tone}`}>
      <span class={`mark ${one.tone === "offline" ? "muted" : one.tone}`}>
        <Shape of={tone} />
        <span class="hidden-text">{word(one.tone)}</span>
      </span>
      <div class="stack">
        <div class="row">
          {one.device ? (
            <Link class="name clip" to={`/devices/${encodeURIComponent(one.device)}`}>
              {one.name}
            </Link>
          ) : (
            <span class="name clip">{one.name}</span>
          )}
          {one.alarm && <span class="quiet when">{ago(one.at)}</span>}
        </div>
        <p title={(one.why === "alarm" && one.alarm && serverSays(one.alarm)) || undefined}>{reason(one)}</p>
        {(one.alarm || one.more > 0) && <p class="quiet">{more(one)}</p>}
        {one.recommendation && <Advice of={one} />}
        {one.alarm && (
          <div class="row ways">
            <Link to={`/alarms?alarm=${encodeURIComponent(one.alarm.id)}`}>{t("fleet.open_alarm")}</Link>
            <Link to={deviceLink(one.alarm)}>{t("fleet.open_window")}</Link>
          </div>
        )}
      </div>
    </li>
  );
}

/** The state of its alarm and how many others it has. */
function more(one: Attention): string {
  const others = one.more > 0 ? t("fleet.attention_more", { n: one.more }) : "";
  return [one.alarm ? word(one.alarm.state) : "", others].filter(Boolean).join(" · ");
}

function reason(one: Attention): string {
  switch (one.why) {
    case "alarm":
      return one.alarm ? alarmSays(one.alarm) : "";
    case "gateway": {
      const away = t("fleet.reason_gateway", { time: at(one.at) });
      return one.silent ? `${away}. ${t("fleet.reason_gateway_devices", { n: one.silent })}.` : away;
    }
    case "offline":
      return one.at ? t("fleet.reason_offline", { time: at(one.at) }) : t("fleet.reason_never");
    case "health":
      return t("fleet.reason_health", { score: percent(one.health), good: percent(GOOD_HEALTH) });
    case "recommendation":
      return one.recommendation ? adviceSays(one.recommendation).title : "";
  }
}

/** What the cloud advises: the diagnosis, the action, and a decision on it. */
function Advice({ of: one }: { of: Attention }) {
  const isBusy = useSignal(false);
  const advice = one.recommendation;
  if (!advice) return null;
  const said = adviceSays(advice);
  const decide = async (verb: "accept" | "dismiss") => {
    const place = { recommendation_id: advice.id };
    isBusy.value = true;
    await act(() => api.post(`/api/v1/recommendations/{recommendation_id}/${verb}`, { at: place, body: {} as never }), {
      done: t(verb === "accept" ? "fleet.asked_decision" : "fleet.dismissed"),
      wasDone: async () =>
        (await api.get("/api/v1/recommendations/{recommendation_id}", { at: place })).data.state !== "open",
    });
    await recommendations.load();
    isBusy.value = false;
  };
  return (
    <div class="advice">
      {one.why !== "recommendation" && <p class="quiet">{said.title}</p>}
      <p>
        <strong>{t("fleet.recommended")}</strong> ({t(`fleet.timeframe_${advice.timeframe}` as TextKey)}): {said.action}
      </p>
      {may("tasks:update") && (
        <div class="row">
          <button type="button" class="button" disabled={isBusy.value} onClick={() => void decide("accept")}>
            {t("fleet.ask_decision")}
          </button>
          <button type="button" class="button plain" disabled={isBusy.value} onClick={() => void decide("dismiss")}>
            {t("fleet.dismiss")}
          </button>
        </div>
      )}
    </div>
  );
}
