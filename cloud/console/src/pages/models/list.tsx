/** The list of models, each by the version that serves or is newest. */
import { useSignal } from "@preact/signals";
import { Beside } from "../../parts/beside";
import { Mark } from "../../parts/marks";
import { number } from "../../parts/number";
import { Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { type Gateway, gateways } from "../../stores/gateways";
import { keyFigures, latency, type Model, models, usesOf } from "../../stores/models";
import { may } from "../../stores/session";
import { t } from "../../text";
import { at } from "../../time/zone";
import { ModelDetail } from "./detail";
import { RetrainDialog } from "./retrain";
import { algorithmName, called, figure, metricName } from "./words";

function columns(isShort: boolean, all: readonly Gateway[]): Column<Model>[] {
  const shown: Column<Model>[] = [
    { key: "name", title: t("models.name"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "purpose",
      title: t("models.purpose"),
      cell: (one) => called("type", one.type),
      by: (one) => called("type", one.type),
    },
    {
      key: "stage",
      title: t("models.stage"),
      cell: (one) => <Mark of="normal">{called("stage", one.stage)}</Mark>,
      by: (one) => called("stage", one.stage),
    },
    {
      key: "version",
      title: t("models.version"),
      isNumber: true,
      cell: (one) => number(one.version),
      by: (one) => one.version ?? 0,
    },
    {
      key: "algorithm",
      title: t("models.algorithm"),
      cell: (one) => algorithmName(one.algorithm),
      by: (one) => one.algorithm,
    },
    { key: "figures", title: t("models.figures"), cell: (one) => <Figures of={one.metrics} /> },
    {
      key: "edge",
      title: t("models.running_on"),
      cell: (one) => <Running of={one} all={all} />,
      by: (one) => usesOf(all, one.name).length,
    },
    { key: "made", title: t("models.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
  ];
  return isShort ? shown.filter((one) => ["name", "stage", "version"].includes(one.key)) : shown;
}

export function Figures({ of }: { of: Readonly<Record<string, number>> }) {
  return (
    <span class="figures-line">
      {keyFigures(of, 1).map(([name, value]) => (
        <span key={name}>
          <span class="name">{metricName(name)}</span> {figure(name, value)}
        </span>
      ))}
    </span>
  );
}

function Running({ of, all }: { of: Model; all: readonly Gateway[] }) {
  const uses = usesOf(all, of.name);
  const us = latency(uses);
  if (!uses.length) return <span class="quiet">–</span>;
  return (
    <>
      {t("models.n_devices", { n: uses.length })}{" "}
      {us !== null && <span class="quiet">{t("models.edge_us", { n: number(us, "", 3) })}</span>}
    </>
  );
}

export function ModelsTab() {
  useKept(models, 20);
  useKept(gateways, 10);
  const isAsked = useSignal(false);
  const name = query.value.get("model") ?? "";
  const opened = name ? models.get(name) : undefined;
  const retrain = may("admin") && (
    <button
      type="button"
      class="button"
      onClick={() => {
        isAsked.value = true;
      }}
    >
      {t("models.retrain")}
    </button>
  );
  const empty = (
    <>
      <p>{t("models.none_yet")}</p>
      <p>{t("models.none_next")}</p>
    </>
  );
  return (
    <>
      <Ready of={models} empty={empty}>
        <Beside isOpen={Boolean(opened)} isHalf>
          <Table
            name="models"
            rows={models.list.value}
            columns={columns(Boolean(opened), gateways.list.value)}
            id={(one) => one.name}
            open={(one) => setQuery({ model: one.name === name ? null : one.name, version: null })}
            opened={name}
            sortedBy="name"
            tools={retrain}
          />
          {opened && <ModelDetail key={name} model={opened} close={() => setQuery({ model: null, version: null })} />}
        </Beside>
      </Ready>
      {isAsked.value && (
        <RetrainDialog
          model={name}
          close={() => {
            isAsked.value = false;
          }}
        />
      )}
    </>
  );
}
