/** How many devices are in which state: figures that filter the fleet when pressed. */
import { Shape } from "../../parts/marks";
import { setQuery } from "../../router";
import type { Gateway } from "../../stores/gateways";
import { t, word } from "../../text";
import { STATUSES, type Status } from "./judge";

interface TilesProps {
  counts: Record<Status, number>;
  total: number;
  chosen: string;
  gateways: readonly Gateway[];
}

export function Tiles({ counts, total, chosen, gateways }: TilesProps) {
  const silent = gateways.filter((one) => !one.is_online).length;
  const online = t("fleet.gateways_of", { online: gateways.length - silent, n: gateways.length });
  return (
    <div class="figures fleet-tiles">
      <Tile value={total} label={t("fleet.all_devices")} title={t("fleet.show_all")} status="" chosen={chosen} />
      {STATUSES.map((status) => (
        <Tile
          key={status}
          value={counts[status]}
          label={word(status)}
          title={t("fleet.show_only", { status: word(status) })}
          status={status}
          chosen={chosen}
        />
      ))}
      {gateways.length > 0 && (
        <div class={`figure ${silent ? "warning" : ""}`} title={online}>
          <div class="value">
            {silent > 0 && <Shape of="warning" />}
            {silent}
          </div>
          <div class="label">{t("fleet.silent_gateways")}</div>
        </div>
      )}
    </div>
  );
}

interface TileProps {
  value: number;
  label: string;
  title: string;
  status: string;
  chosen: string;
}

function Tile({ value, label, title, status, chosen }: TileProps) {
  const isAbnormal = value > 0 && (status === "critical" || status === "warning");
  const isChosen = chosen === status;
  return (
    <button
      type="button"
      class={`figure ${isAbnormal ? status : ""}`}
      title={title}
      aria-pressed={isChosen}
      onClick={() => setQuery({ status: isChosen ? null : status })}
    >
      <span class="value">
        {status && <Shape of={value > 0 ? status : "normal"} />}
        {value}
      </span>
      <span class="label">{label}</span>
    </button>
  );
}
