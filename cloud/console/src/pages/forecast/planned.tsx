/** Planned events: a calendar of four weeks and a list, to announce and to take back. */
import { useSignal } from "@preact/signals";
import { Dialog } from "../../parts/dialog";
import { Chip } from "../../parts/marks";
import { number } from "../../parts/number";
import { Loading, Panel, Tabs } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { query, setQuery } from "../../router";
import { cancelEvent, events, type PlannedEvent } from "../../stores/events";
import { may } from "../../stores/session";
import { locale, type TextKey, t } from "../../text";
import { ago, at, isoWeek, ms, now, zone } from "../../time/zone";
import { weeksOf } from "./calendar";
import { NewEventDialog } from "./new-event";

const WEEKS = 3;
const HOUR_MS = 3_600_000;
const typeText = (type: string) => t(`forecast.type_${type}` as TextKey);

export function Planned() {
  const view = query.value.get("events") === "list" ? "list" : "calendar";
  const isAdding = useSignal(false);
  const chosen = useSignal<PlannedEvent | null>(null);
  return (
    <Panel
      title={t("forecast.planned")}
      tools={
        may("events:write") && (
          <button
            type="button"
            class="button"
            onClick={() => {
              isAdding.value = true;
            }}
          >
            {t("forecast.announce")}
          </button>
        )
      }
    >
      <Tabs
        label={t("forecast.planned")}
        tabs={[
          ["calendar", t("forecast.calendar")],
          ["list", t("forecast.list")],
        ]}
        chosen={view}
        choose={(one) => setQuery({ events: one === "list" ? "list" : null })}
      />
      {events.state.value !== "ready" && !events.size ? (
        <Loading />
      ) : view === "calendar" ? (
        <Calendar open={(one) => (chosen.value = one)} />
      ) : (
        <Table
          name="planned"
          rows={events.list.value}
          columns={columns()}
          id={(one) => one.id}
          sortedBy="start"
          open={(one) => {
            chosen.value = one;
          }}
          height="320px"
          empty={t("forecast.no_events")}
        />
      )}
      {chosen.value && <EventDialog of={chosen.value} close={() => (chosen.value = null)} />}
      {isAdding.value && <NewEventDialog close={() => (isAdding.value = false)} />}
    </Panel>
  );
}

function columns(): Column<PlannedEvent>[] {
  return [
    { key: "name", title: t("common.name"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "type",
      title: t("forecast.type"),
      cell: (one) => typeText(one.event_type),
      by: (one) => typeText(one.event_type),
    },
    { key: "start", title: t("common.from"), cell: (one) => at(one.start_time), by: (one) => one.start_time },
    { key: "end", title: t("common.to"), cell: (one) => at(one.end_time), by: (one) => one.end_time },
    {
      key: "times",
      title: t("forecast.multiplier"),
      cell: (one) => `× ${number(one.expected_impact_multiplier)}`,
      by: (one) => one.expected_impact_multiplier,
      isNumber: true,
    },
    { key: "site", title: t("forecast.site"), cell: siteOf, by: siteOf },
  ];
}

function siteOf(one: PlannedEvent): string {
  const site = (one.metadata as Record<string, unknown>).site;
  return typeof site === "string" && site ? site : t("forecast.whole_plant");
}

function Calendar({ open }: { open: (one: PlannedEvent) => void }) {
  const hour = Math.floor(now.value / HOUR_MS) * HOUR_MS;
  const days = weeksOf(events.list.value, hour, WEEKS);
  const weekday = new Intl.DateTimeFormat(locale.value, { weekday: "short", timeZone: zone.value });
  const date = new Intl.DateTimeFormat(locale.value, { day: "numeric", month: "short", timeZone: zone.value });
  return (
    <div class="calendar-box">
      <div class="calendar">
        <span class="quiet week" />
        {days.slice(0, 7).map((one) => (
          <span key={one.from} class="quiet weekday">
            {weekday.format(one.from)}
          </span>
        ))}
        {days.map((day, index) => [
          index % 7 === 0 && (
            <span key={`w${day.from}`} class="quiet week">
              {t("common.week", { week: isoWeek(day.from)[1] })}
            </span>
          ),
          <div key={day.from} class={`day ${day.to <= now.value ? "past" : day.from <= now.value ? "today" : ""}`}>
            <span class="date">{date.format(day.from)}</span>
            {day.events.slice(0, 3).map((one) => (
              <button
                key={one.id}
                type="button"
                class="clip"
                title={`${one.name} · ${typeText(one.event_type)} · ${at(one.start_time)} – ${at(one.end_time)}`}
                onClick={() => open(one)}
              >
                {ms(one.start_time) >= day.from ? `${at(one.start_time, "time")} ` : "… "}
                {one.name}
              </button>
            ))}
            {day.events.length > 3 && <span class="quiet">+{day.events.length - 3}</span>}
          </div>,
        ])}
      </div>
      {days.every((one) => one.events.length === 0) && <p class="quiet no-day">{t("forecast.no_events")}</p>}
    </div>
  );
}

function EventDialog({ of, close }: { of: PlannedEvent; close: () => void }) {
  const cancel = () => {
    close();
    void cancelEvent(of.id, t("forecast.cancelled"));
  };
  const isMine = may("events:write");
  return (
    <Dialog
      title={of.name}
      close={close}
      submit={isMine ? cancel : undefined}
      submitText={t("forecast.cancel_event")}
      isDanger
    >
      <dl class="pairs">
        <dt>{t("forecast.type")}</dt>
        <dd>{typeText(of.event_type)}</dd>
        <dt>{t("common.from")}</dt>
        <dd>
          {at(of.start_time)} <span class="quiet">· {ago(of.start_time)}</span>
        </dd>
        <dt>{t("common.to")}</dt>
        <dd>
          {at(of.end_time)} <span class="quiet">· {ago(of.end_time)}</span>
        </dd>
        <dt>{t("forecast.multiplier")}</dt>
        <dd>× {number(of.expected_impact_multiplier)}</dd>
        <dt>{t("forecast.site")}</dt>
        <dd>{siteOf(of)}</dd>
        <dt>{t("common.state")}</dt>
        <dd>
          <Chip>{t(of.phase === "in_effect" ? "forecast.in_effect" : "forecast.upcoming")}</Chip>
        </dd>
        {of.source && <dt>{t("forecast.source")}</dt>}
        {of.source && <dd>{of.source}</dd>}
      </dl>
      {isMine && <p class="quiet">{t("forecast.cancel_hint")}</p>}
    </Dialog>
  );
}
