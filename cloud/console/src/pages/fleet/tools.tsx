/** Filters of the fleet and the choice between grid and list; all of it in the address. */
import { query, setQuery } from "../../router";
import { t, word } from "../../text";
import { STATUSES, type Wanted } from "./judge";

export type FleetView = "grid" | "list";

export function wantedNow(): Wanted {
  const of = (name: string) => query.value.get(name) ?? "";
  return { text: of("q"), status: of("status"), place: of("place"), gateway: of("gateway") };
}

export const viewNow = (): FleetView => (query.value.get("view") === "list" ? "list" : "grid");

interface ToolsProps {
  wanted: Wanted;
  places: readonly string[];
  gateways: readonly string[];
  shown: number;
  total: number;
}

export function Tools({ wanted, places, gateways, shown, total }: ToolsProps) {
  return (
    <div class="tools">
      <input
        type="search"
        data-search
        aria-label={t("fleet.search")}
        placeholder={t("fleet.search")}
        value={wanted.text}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
      <Choice name="status" label={t("fleet.any_status")} value={wanted.status} of={STATUSES} textOf={word} />
      {(places.length > 1 || wanted.place) && (
        <Choice name="place" label={t("fleet.any_place")} value={wanted.place} of={places} />
      )}
      {(gateways.length > 1 || wanted.gateway) && (
        <Choice name="gateway" label={t("fleet.any_gateway")} value={wanted.gateway} of={gateways} />
      )}
      <span class="quiet" role="status">
        {shown === total ? t("fleet.count", { n: total }) : t("fleet.count_of", { shown, n: total })}
      </span>
      <span class="grow" />
      <fieldset class="switch">
        <legend class="hidden-text">{t("fleet.view")}</legend>
        {(["grid", "list"] as const).map((one) => (
          <button
            key={one}
            type="button"
            class="button"
            aria-pressed={viewNow() === one}
            onClick={() => setQuery({ view: one === "grid" ? null : one })}
          >
            {t(one === "grid" ? "fleet.view_grid" : "fleet.view_list")}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  value: string;
  of: readonly string[];
  textOf?: (one: string) => string;
}

function Choice({ name, label, value, of, textOf = (one) => one }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
      <option value="">{label}</option>
      {of.map((one) => (
        <option key={one} value={one}>
          {textOf(one)}
        </option>
      ))}
    </select>
  );
}
