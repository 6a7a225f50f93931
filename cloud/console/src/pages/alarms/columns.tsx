/** The columns of the lists of alarms. */
import { Chip, Mark } from "../../parts/marks";
import { percent } from "../../parts/number";
import type { Column } from "../../parts/table";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { alarmSays, serverSays } from "../../says/alarm";
import { type Alarm, isUnacknowledged } from "../../stores/alarms";
import { devices } from "../../stores/devices";
import { type TextKey, t } from "../../text";
import { ago, at } from "../../time/zone";
import { isMuted } from "./judge";
import { deviceLink } from "./window";

export type Tab = "active" | "hidden" | "history";
const SEVERITIES = ["critical", "warning", "info"];
const STATES = ["unack_active", "ack_active", "unack_cleared", "shelved", "out_of_service", "normal"];

export const stateOf = (alarm: Alarm): string => t(`alarms.state_${alarm.state}` as TextKey);
export const nameOf = (alarm: Alarm): string => devices.get(alarm.device_id)?.device_name ?? alarm.device_id;

/** Return the columns of a tab; fewer while the details stand beside the list. */
export function columnsOf(tab: Tab, first: ReadonlySet<string>, isNarrow: boolean): readonly Column<Alarm>[] {
  const all = [...base(first), ...(tab === "hidden" ? hidden() : tab === "history" ? past() : live())];
  return isNarrow ? all.filter((one) => !one.isWide) : all;
}

const base = (first: ReadonlySet<string>): Column<Alarm>[] => [
  {
    key: "severity",
    title: t("common.severity"),
    cell: (one) => <Mark of={one.severity} muted={isMuted(one)} />,
    by: (one) => SEVERITIES.indexOf(one.severity),
  },
  {
    key: "state",
    title: t("common.state"),
    cell: (one) => <State of={one} isFirst={first.has(one.id)} />,
    by: (one) => STATES.indexOf(one.state),
  },
  {
    key: "device",
    title: t("common.device"),
    cell: (one) => <Place of={one} />,
    by: (one) => nameOf(one) || one.gateway_id,
  },
  {
    key: "message",
    title: t("alarms.message"),
    cell: (one) => <span title={serverSays(one) || alarmSays(one)}>{alarmSays(one)}</span>,
    by: (one) => alarmSays(one),
    isMain: true,
  },
  {
    key: "channel",
    title: t("alarms.channel"),
    cell: (one) => <Channel of={one} />,
    by: (one) => one.channel,
    isWide: true,
  },
  {
    key: "raised",
    title: t("alarms.raised"),
    cell: (one) => (
      <time dateTime={one.raised_at} title={at(one.raised_at, "full")}>
        {at(one.raised_at)}
      </time>
    ),
    by: (one) => one.raised_at,
  },
];

const live = (): readonly Column<Alarm>[] => [
  {
    key: "count",
    title: t("alarms.occurrences"),
    cell: (one) => <Occurrences of={one} />,
    by: (one) => one.occurrences,
    isNumber: true,
    isWide: true,
  },
  {
    key: "assigned",
    title: t("alarms.assigned"),
    cell: (one) => one.assigned_to,
    by: (one) => one.assigned_to,
    isWide: true,
  },
];
const hidden = (): readonly Column<Alarm>[] => [
  {
    key: "until",
    title: t("alarms.until"),
    cell: (one) =>
      one.shelved_until ? `${at(one.shelved_until)} (${ago(one.shelved_until)})` : t("alarms.until_back"),
    by: (one) => one.shelved_until ?? "z",
  },
  { key: "by", title: t("common.by"), cell: (one) => who(one.shelved_by ?? one.out_of_service_by ?? ""), isWide: true },
];
const past = (): readonly Column<Alarm>[] => [
  { key: "cleared", title: t("alarms.cleared"), cell: (one) => at(one.cleared_at), by: (one) => one.cleared_at ?? "" },
  {
    key: "seen",
    title: t("alarms.acknowledged_by"),
    cell: (one) => (one.acknowledged_by ? who(one.acknowledged_by) : ""),
    by: (one) => one.acknowledged_by ?? "",
    isWide: true,
  },
  {
    key: "label",
    title: t("alarms.verdict"),
    cell: (one) => (one.label ? t(`alarms.${one.label}` as TextKey) : ""),
    by: (one) => one.label ?? "",
    isWide: true,
  },
];

function State({ of: one, isFirst }: { of: Alarm; isFirst: boolean }) {
  return (
    <span class="state-cell">
      <span class={isUnacknowledged(one) ? "unseen" : "quiet"}>{stateOf(one)}</span>
      {isFirst && <Chip title={t("alarms.first_out_title")}>{t("alarms.first_out")}</Chip>}
    </span>
  );
}

function Place({ of: one }: { of: Alarm }) {
  if (!one.device_id) return <span title={t("common.gateway")}>{one.gateway_id}</span>;
  return <Link to={deviceLink(one)}>{nameOf(one)}</Link>;
}

function Channel({ of: one }: { of: Alarm }) {
  const share = one.shares?.find((part) => part.channel === one.channel)?.share;
  return (
    <span>
      {one.channel}
      {share !== undefined && <span class="quiet"> {percent(share)}</span>}
    </span>
  );
}

function Occurrences({ of: one }: { of: Alarm }) {
  return (
    <span class="state-cell end">
      {one.chattering && <Chip of="info">{t("alarms.chattering")}</Chip>}
      {one.occurrences}
    </span>
  );
}
