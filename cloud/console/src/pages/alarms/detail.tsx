/** Everything about one alarm, beside the list: what it says, whose part it is, what was done, what was said. */
import { useEffect } from "preact/hooks";
import { api } from "../../api/client";
import { Chip, Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Failed, Loading, Pairs } from "../../parts/panel";
import { useAsked, useLast } from "../../parts/use";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { alarmSays, serverSays } from "../../says/alarm";
import type { Alarm } from "../../stores/alarms";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { ago, at, length, ms } from "../../time/zone";
import type { Asked } from "./ask";
import { nameOf, stateOf } from "./columns";
import { can, isMuted, type Verb } from "./judge";
import { Comments, History } from "./story";
import { deviceLink } from "./window";

interface DetailProps {
  id: string;
  ask: (asked: Asked) => void;
  close: () => void;
}

const TYPES = ["alert", "alert_acknowledged", "alert_changed"];

export function Detail({ id, ask, close }: DetailProps) {
  const asked = useAsked(async () => (await api.get("/api/v1/alerts/{alert_id}", { at: { alert_id: id } })).data, [id]);
  const last = useLast(asked.data);
  const { reload } = asked;
  useEffect(() => {
    const ends = TYPES.map((type) => link.on(type, (told) => void (told.data?.id === id && reload())));
    return () => {
      for (const end of ends) end();
    };
  }, [id, reload]);
  const alarm = asked.data ?? (last?.id === id ? last : null);
  return (
    <aside class="panel detail" aria-label={t("common.details")}>
      <header>
        <h2>{alarm ? <Mark of={alarm.severity} muted={isMuted(alarm as Alarm)} /> : t("common.details")}</h2>
        <button type="button" class="button plain icon" aria-label={t("common.close")} onClick={close}>
          ×
        </button>
      </header>
      {alarm ? (
        <>
          <About alarm={alarm as Alarm} ask={ask} />
          <Shares alarm={alarm as Alarm} />
          <Comments id={id} comments={alarm.comments} reload={reload} />
          <History of={alarm.history} />
        </>
      ) : asked.error ? (
        <Failed error={asked.error} retry={() => void reload()} />
      ) : (
        <Loading />
      )}
    </aside>
  );
}

const BUTTONS: readonly Verb[] = [
  "acknowledge",
  "shelve",
  "unshelve",
  "clear",
  "out_of_service",
  "return_to_service",
  "assign",
];

function About({ alarm, ask }: { alarm: Alarm; ask: (asked: Asked) => void }) {
  const offered = may("alarms:write") ? BUTTONS.filter((verb) => can(verb, alarm)) : [];
  return (
    <>
      <p class="message">{alarmSays(alarm)}</p>
      <div class="row">
        <Chip>{stateOf(alarm)}</Chip>
        {alarm.chattering && <Chip of="info">{t("alarms.chattering")}</Chip>}
        {alarm.stale && <Chip title={t("alarms.stale_title")}>{t("alarms.stale")}</Chip>}
        {alarm.muted_by && <Chip>{t("alarms.muted", { by: alarm.muted_by })}</Chip>}
        {alarm.escalated_at && <Chip>{t("alarms.escalated", { time: at(alarm.escalated_at) })}</Chip>}
      </div>
      {offered.length > 0 && (
        <div class="row actions">
          {offered.map((verb) => (
            <button
              key={verb}
              type="button"
              class={`button ${verb === "acknowledge" ? "main-action" : ""}`}
              onClick={() => ask({ verb, ids: [alarm.id] })}
            >
              {t(`alarms.${verb}` as TextKey)}
            </button>
          ))}
        </div>
      )}
      <Facts alarm={alarm} />
      <Verdict alarm={alarm} ask={ask} />
    </>
  );
}

function Facts({ alarm }: { alarm: Alarm }) {
  const seen = alarm.acknowledged_by
    ? `${who(alarm.acknowledged_by)}, ${at(alarm.acknowledged_at)}`
    : t("alarms.nobody");
  const end = alarm.resolved ? ms(alarm.cleared_at ?? null) : Date.now();
  const facts: (readonly [string, string | number | false | null | undefined])[] = [
    [t("common.gateway"), alarm.gateway_id],
    [t("alarms.channel"), alarm.channel],
    [t("alarms.onset"), at(alarm.onset_at, "full")],
    [t("alarms.raised"), `${at(alarm.raised_at, "full")} (${ago(alarm.raised_at)})`],
    [t("alarms.lasted"), length((end - ms(alarm.onset_at ?? alarm.raised_at)) / 1000)],
    [t("alarms.cleared"), alarm.resolved && at(alarm.cleared_at, "full")],
    [t("alarms.occurrences"), alarm.occurrences > 1 && `${alarm.occurrences} (${at(alarm.last_raised_at)})`],
    [t("alarms.score"), alarm.peak != null && alarm.model && number(alarm.peak, "", 3)],
    [t("alarms.model"), alarm.model],
    [t("alarms.limit"), alarm.limit],
    [t("alarms.server_says"), serverSays(alarm)],
    [t("alarms.acknowledged_by"), seen],
    [t("alarms.assigned"), alarm.assigned_to],
    [t("alarms.until"), alarm.shelved_until && `${at(alarm.shelved_until)}, ${who(alarm.shelved_by ?? "")}`],
    [t("alarms.state_out_of_service"), alarm.out_of_service_by && who(alarm.out_of_service_by)],
  ];
  return (
    <>
      {alarm.device_id && (
        <div class="row">
          <Link class="button" to={deviceLink(alarm)}>
            {t("alarms.show_window", { device: nameOf(alarm) })}
          </Link>
        </div>
      )}
      <Pairs of={facts.filter(([, value]) => value).map(([name, value]) => [name, String(value)] as const)} />
    </>
  );
}

/** Was it right? What people say becomes what models learn from. */
function Verdict({ alarm, ask }: { alarm: Alarm; ask: (asked: Asked) => void }) {
  if (!can("label", alarm)) return null;
  const isWritable = may("alarms:write");
  return (
    <section class="stack verdict">
      <h3>{t("alarms.was_it_right")}</h3>
      {alarm.label ? (
        <Chip>{t(`alarms.${alarm.label}` as TextKey)}</Chip>
      ) : (
        <p class="quiet">{t("alarms.no_verdict")}</p>
      )}
      {isWritable && (
        <div class="row">
          {(["true_fault", "false_alarm"] as const).map((verdict) => (
            <button
              key={verdict}
              type="button"
              class="button"
              aria-pressed={alarm.label === verdict}
              onClick={() => ask({ verb: "label", ids: [alarm.id], verdict })}
            >
              {t(`alarms.${verdict}`)}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

function Shares({ alarm }: { alarm: Alarm }) {
  const shares = (alarm.shares ?? []).filter((one) => one.share >= 0.005).slice(0, 8);
  if (shares.length < 2) return null;
  return (
    <section class="stack">
      <h3>{t("alarms.shares")}</h3>
      <ul class="alarm-shares">
        {shares.map((one) => (
          <li key={one.channel}>
            <span class="clip">{one.channel}</span>
            <span class="share-bar" aria-hidden="true">
              <span style={{ width: `${Math.round(one.share * 100)}%` }} />
            </span>
            <span class="number">{percent(one.share)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
