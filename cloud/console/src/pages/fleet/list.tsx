/** All devices as rows of a table. */
import { percent } from "../../parts/number";
import { type Column, Table } from "../../parts/table";
import { go, Link } from "../../router";
import { alarmSays } from "../../says/alarm";
import type { Alarm } from "../../stores/alarms";
import type { Device } from "../../stores/devices";
import { t } from "../../text";
import { gatewayOf, mainChannel, STATUSES } from "./judge";
import { HealthBar, MainBar, MainValue, Newest, StatusMark, useLive } from "./live";

const linkOf = (device: Device) => `/devices/${encodeURIComponent(device.device_id)}`;

interface ListProps {
  devices: readonly Device[];
  worst: ReadonlyMap<string, Alarm>;
}

export function DeviceList({ devices, worst }: ListProps) {
  const channelOf = (device: Device) => mainChannel(device, worst.get(device.device_id));
  const alarmOf = (device: Device) => {
    const alarm = worst.get(device.device_id);
    return alarm ? alarmSays(alarm) : "";
  };
  const columns: Column<Device>[] = [
    {
      key: "status",
      title: t("fleet.status"),
      cell: (one) => <StatusMark device={one} />,
      by: (one) => STATUSES.indexOf(one.status),
    },
    {
      key: "name",
      title: t("common.device"),
      cell: (one) => <Link to={linkOf(one)}>{one.device_name}</Link>,
      by: (one) => one.device_name,
    },
    { key: "channel", title: t("fleet.main_value"), cell: (one) => channelOf(one) || "–", by: channelOf },
    {
      key: "value",
      title: t("common.value"),
      cell: (one) => <MainValue device={one} channel={channelOf(one)} />,
      isNumber: true,
    },
    { key: "bar", title: t("fleet.usual"), cell: (one) => <LiveBar device={one} channel={channelOf(one)} /> },
    {
      key: "health",
      title: t("fleet.health"),
      cell: (one) => (
        <span class="health-cell">
          <HealthBar score={one.health_score} />
          <span class="score">{one.health_score == null ? "–" : percent(one.health_score)}</span>
        </span>
      ),
      by: (one) => one.health_score ?? 2,
    },
    { key: "newest", title: t("fleet.newest"), cell: (one) => <Newest device={one} /> },
    {
      key: "alarm",
      title: t("fleet.alarm"),
      cell: alarmOf,
      by: alarmOf,
      isMain: true,
    },
    { key: "type", title: t("fleet.type"), cell: (one) => one.device_type, by: (one) => one.device_type },
    { key: "place", title: t("fleet.place"), cell: (one) => one.location, by: (one) => one.location },
  ];
  const isOfSeveral = devices.some((one) => gatewayOf(one) !== gatewayOf(devices[0] ?? one));
  if (isOfSeveral) columns.push({ key: "gateway", title: t("common.gateway"), cell: gatewayOf, by: gatewayOf });
  return (
    <Table
      name="devices"
      rows={devices}
      columns={columns}
      id={(one) => one.device_id}
      open={(one) => go(linkOf(one))}
      hasFilter={false}
      height="calc(100vh - 120px)"
    />
  );
}

function LiveBar({ device, channel }: { device: Device; channel: string }) {
  useLive(device.device_id, channel);
  return (
    <div class="bar-cell">
      <MainBar device={device} channel={channel} />
    </div>
  );
}
