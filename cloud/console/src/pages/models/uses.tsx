/** Who runs a model: by gateway and device, how it stands and how it does there. */
import { Part } from "../../parts/beside";
import { number, percent } from "../../parts/number";
import { type Column, Table } from "../../parts/table";
import { Link } from "../../router";
import { gateways } from "../../stores/gateways";
import { type Use, usesOf } from "../../stores/models";
import { t, word } from "../../text";
import { Standing } from "./words";

function columns(): Column<Use>[] {
  return [
    {
      key: "device",
      title: t("models.device"),
      cell: (one) => <Link to={`/devices/${encodeURIComponent(one.device)}`}>{one.device}</Link>,
      by: (one) => one.device,
    },
    { key: "gateway", title: t("models.gateway"), cell: (one) => one.gateway, by: (one) => one.gateway },
    {
      key: "version",
      title: t("models.version"),
      isNumber: true,
      cell: (one) => number(one.version),
      by: (one) => one.version ?? 0,
    },
    {
      key: "standing",
      title: t("models.standing"),
      cell: (one) => (
        <>
          <Standing of={one.standing} kind="standing" title={one.reason} />{" "}
          {one.reason && <span class="quiet">{word(one.reason)}</span>}
        </>
      ),
      by: (one) => one.standing,
    },
    {
      key: "over",
      title: t("models.over"),
      isNumber: true,
      cell: (one) => percent(one.over, 1),
      by: (one) => one.over ?? 0,
    },
    {
      key: "alarms",
      title: t("models.alarms"),
      isNumber: true,
      cell: (one) => number(one.alarms),
      by: (one) => one.alarms ?? 0,
    },
    {
      key: "rows",
      title: t("models.rows"),
      isNumber: true,
      cell: (one) => number(one.rows),
      by: (one) => one.rows ?? 0,
    },
    {
      key: "invoke",
      title: t("models.invoke"),
      isNumber: true,
      cell: (one) => number(one.invoke_us, "µs", 3),
      by: (one) => one.invoke_us ?? 0,
    },
    {
      key: "agreement",
      title: t("models.agreement"),
      isNumber: true,
      cell: (one) => percent(one.agreement, 1),
      by: (one) => one.agreement ?? 0,
    },
  ];
}

export function Uses({ model }: { model: string }) {
  const uses = usesOf(gateways.list.value, model);
  return (
    <Part title={t("models.uses")}>
      {uses.length ? (
        <Table
          name="uses"
          rows={uses}
          columns={columns()}
          id={(one) => `${one.gateway}/${one.device}`}
          hasFilter={uses.length > 10}
          height="320px"
        />
      ) : (
        <p class="quiet">{t("models.uses_none")}</p>
      )}
    </Part>
  );
}
