/** Drift: what scheduled and asked checks said, and a check of one series now. */
import { useSignal } from "@preact/signals";
import { Tick } from "../../parts/choices";
import { Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import { type DriftCheck, type DriftVerdict, driftChecks, rankOf, verdictOf } from "../../stores/drift";
import { t } from "../../text";
import { at, length } from "../../time/zone";
import { DriftDialog } from "./drift-check";
import { called } from "./words";

export function DriftTold({ of, notes, inARow = 0 }: { of: DriftVerdict; notes: string; inARow?: number }) {
  const tone = of === "lasting" || of === "found" ? "warning" : "normal";
  return (
    <span title={notes}>
      <Mark of={tone}>
        {called("drift", of)}
        {inARow > 1 && `, ${t("models.drift_in_a_row", { n: inARow })}`}
      </Mark>
    </span>
  );
}

function columns(): Column<DriftCheck>[] {
  return [
    {
      key: "device",
      title: t("models.drift_device"),
      cell: (one) => <Link to={`/devices/${encodeURIComponent(one.device)}`}>{one.device}</Link>,
      by: (one) => one.device,
    },
    { key: "tag", title: t("models.drift_tag"), cell: (one) => one.tag, by: (one) => one.tag },
    {
      key: "verdict",
      title: t("models.drift_verdict"),
      cell: (one) => <DriftTold of={verdictOf(one)} notes={one.notes} inARow={one.in_a_row} />,
      by: rankOf,
    },
    {
      key: "ks",
      title: t("models.drift_ks"),
      isNumber: true,
      cell: (one) => (
        <span title={t("models.drift_ks_title")}>
          {number(verdictOf(one) === "few" ? null : one.ks_statistic, "", 3)}
        </span>
      ),
      by: (one) => one.ks_statistic,
    },
    {
      key: "p",
      title: t("models.drift_pvalue"),
      isNumber: true,
      cell: (one) => (
        <span title={t("models.drift_pvalue_title")}>{number(one.corrected?.p_value ?? null, "", 2)}</span>
      ),
      by: (one) => one.corrected?.p_value ?? 1,
    },
    {
      key: "psi",
      title: t("models.drift_psi"),
      isNumber: true,
      cell: (one) => <span title={t("models.drift_psi_title")}>{number(one.psi, "", 2)}</span>,
      by: (one) => one.psi ?? 0,
    },
    {
      key: "counts",
      title: t("models.drift_counts"),
      isNumber: true,
      cell: (one) => (
        <span title={t("models.drift_counts_title")}>
          {number(one.recent_count)} / {number(one.baseline_count)}
        </span>
      ),
      by: (one) => one.recent_count,
    },
    {
      key: "window",
      title: t("models.drift_window"),
      isNumber: true,
      cell: (one) => length(one.window_minutes * 60),
      by: (one) => one.window_minutes,
    },
    {
      key: "baseline",
      title: t("models.drift_baseline"),
      cell: (one) => called("baseline", one.baseline ?? "week_before"),
      by: (one) => one.baseline ?? "",
    },
    {
      key: "origin",
      title: t("models.drift_origin"),
      cell: (one) => called("origin", one.origin),
      by: (one) => called("origin", one.origin),
    },
    { key: "at", title: t("models.drift_at"), cell: (one) => at(one.at), by: (one) => one.at },
  ];
}

export function DriftTab() {
  useKept(driftChecks, 30);
  const isAsked = useSignal(false);
  const isOnly = query.value.get("only") === "drift";
  const isAll = query.value.get("all") === "yes";
  const all = driftChecks.list.value;
  const told = all.filter((one) => verdictOf(one) !== "few");
  const hidden = isAll || !told.length ? 0 : all.length - told.length;
  const rows = (hidden ? told : all).filter((one) => !isOnly || rankOf(one) < 2);
  const ask = (
    <button
      type="button"
      class="button main-action"
      onClick={() => {
        isAsked.value = true;
      }}
    >
      {t("models.drift_check")}
    </button>
  );
  const empty = (
    <>
      <p>{t("models.drift_none")}</p>
      <p>{t("models.drift_none_next")}</p>
      {ask}
    </>
  );
  return (
    <>
      <Ready of={driftChecks} empty={empty}>
        <Table
          name="drift"
          rows={rows}
          columns={columns()}
          id={(one) => String(one.id)}
          sortedBy="-at"
          tools={
            <>
              {ask}
              <Tick
                label={t("models.drift_only")}
                isOn={isOnly}
                change={(isOn) => setQuery({ only: isOn ? "drift" : null })}
              />
              {hidden > 0 && (
                <button type="button" class="button plain" onClick={() => setQuery({ all: "yes" })}>
                  {t("models.drift_hidden", { n: hidden })}
                </button>
              )}
            </>
          }
        />
      </Ready>
      {isAsked.value && (
        <DriftDialog
          close={() => {
            isAsked.value = false;
            void driftChecks.load();
          }}
        />
      )}
    </>
  );
}

/** Return a share as drift says it. */
export const chance = (value: number): string => (value < 0.001 ? "< 0.1 %" : percent(value, 1));
