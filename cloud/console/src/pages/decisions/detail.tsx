/** One request: who asks, what speaks for it, what was said of it, and the three answers. */
import type { Signal } from "@preact/signals";
import { Refused } from "../../api/errors";
import { Chip } from "../../parts/marks";
import { number } from "../../parts/number";
import { Failed, Loading, Pairs, Panel } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { type Choice, decided, decisions, isOver, readStory, type Story } from "../../stores/decisions";
import { devices } from "../../stores/devices";
import { may } from "../../stores/session";
import { type TextKey, t, word } from "../../text";
import { ago, at } from "../../time/zone";
import { AnswerDialog } from "./answer";
import { Proof } from "./proof";
import { Pressing } from "./requests";

interface DetailProps {
  id: string;
  close: () => void;
  answering: Signal<Choice | null>;
  onDone: () => void;
}

export function Detail({ id, close, answering, onDone }: DetailProps) {
  const known = decisions.get(id) ?? decided.get(id);
  // Read anew when it changes: an answer of somebody else shows at once.
  const story = useAsked(id ? () => readStory(id) : null, [id, known?.state ?? "", known?.deferred_until ?? ""]);
  if (!id) return <div class="panel empty chosen-request">{t("decisions.none_chosen")}</div>;
  const shown = story.data ?? (known ? { ...known, decisions: [] } : null);
  if (!shown && story.error) {
    const isGone = story.error instanceof Refused && story.error.status === 404;
    if (isGone) return <div class="panel empty chosen-request">{t("decisions.not_there", { id })}</div>;
    return <Failed error={story.error} retry={() => void story.reload()} />;
  }
  if (!shown) return <Loading />;
  const isAnswerable = !isOver(shown) && may("tasks:update");
  return (
    <Panel class="chosen-request">
      <button type="button" class="button plain back" onClick={close}>
        ‹ {t("decisions.back_to_list")}
      </button>
      <div class="row spread">
        <span class="row">
          <Chip>{t(`decisions.kind_${shown.kind}` as TextKey)}</Chip>
          {shown.ad_hoc && <Chip>{t("decisions.ad_hoc")}</Chip>}
        </span>
        <Pressing of={shown} />
      </div>
      <h2>{shown.title}</h2>
      <About of={shown} />
      <Proof of={shown} />
      {shown.decisions.length > 0 && <Answers of={shown} />}
      {isAnswerable && (
        <div class="answers row">
          {shown.options.map((one) => (
            <button
              key={one}
              type="button"
              class={`button ${one === "approve" ? "main-action" : ""}`}
              onClick={() => {
                answering.value = one;
              }}
            >
              {t(`decisions.${one}` as TextKey)} <kbd>{{ approve: "y", reject: "n", defer: "d" }[one]}</kbd>
            </button>
          ))}
        </div>
      )}
      {isAnswerable && answering.value && shown.options.includes(answering.value) && (
        <AnswerDialog
          key={answering.value}
          request={shown}
          choice={answering.value}
          before={shown.decisions.length}
          close={() => {
            answering.value = null;
          }}
          onDone={onDone}
        />
      )}
    </Panel>
  );
}

function About({ of }: { of: Story }) {
  const device = of.device_id ? devices.get(of.device_id) : undefined;
  const pairs: [string, preact.ComponentChildren][] = [];
  if (of.device_id) {
    pairs.push([
      t("common.device"),
      <span key="d" class="row">
        <Link to={`/devices/${encodeURIComponent(of.device_id)}`}>{of.device_id}</Link>
        {device && (
          <span class="quiet">
            {word(device.status)} · {t("decisions.health_now")} {number(device.health_score, "", 2)}
          </span>
        )}
      </span>,
    ]);
  } else if (of.gateway_id) pairs.push([t("common.gateway"), of.gateway_id]);
  pairs.push([t("decisions.asked_by"), who(of.requested_by)]);
  pairs.push([t("decisions.asked_at"), <Moment key="a" of={of.requested_at} />]);
  if (of.due_at) pairs.push([t("decisions.due"), <Moment key="u" of={of.due_at} />]);
  if (of.state === "deferred") pairs.push([t("decisions.back"), <Moment key="b" of={of.deferred_until} />]);
  if (of.expires_at && !isOver(of)) pairs.push([t("decisions.closes"), <Moment key="e" of={of.expires_at} />]);
  return <Pairs of={pairs} />;
}

function Moment({ of }: { of: string | null }) {
  return (
    <>
      {at(of)} <span class="quiet">· {ago(of)}</span>
    </>
  );
}

function Answers({ of }: { of: Story }) {
  return (
    <section class="stack" aria-label={t("decisions.answers")}>
      <h3>{t("decisions.answers")}</h3>
      <ol class="said">
        {of.decisions.map((one) => (
          <li key={one.event_id}>
            <div class="row spread">
              <span>
                <strong>{who(one.operator_id || one.by)}</strong>{" "}
                {t(`decisions.said_${one.decision}` as TextKey, { until: at(one.until ?? of.deferred_until) })}
              </span>
              <span class="quiet nowrap">{at(one.at)}</span>
            </div>
            {one.justification && <p class="quiet">{one.justification}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
