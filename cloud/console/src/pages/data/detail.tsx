/** One dataset: what is known of it, its rows, its columns drawn, and what can be done with it. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { Refused } from "../../api/errors";
import { Opened, Part } from "../../parts/beside";
import { Confirm } from "../../parts/confirm";
import { Chip } from "../../parts/marks";
import { bytes, number } from "../../parts/number";
import { Failed, Loading, Pairs, Tabs } from "../../parts/panel";
import { Table, type Column as TableColumn } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import { act } from "../../stores/act";
import { type Column, type Dataset, type DatasetDetails, datasets, rowsOf } from "../../stores/datasets";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { type TextKey, t, word } from "../../text";
import { at } from "../../time/zone";
import { plain } from "../jobs/words";
import { Charts } from "./charts";
import { CheckDialog } from "./check";
import { Preview } from "./preview";

const MIB = 1_048_576;
const VIEWS = ["details", "preview", "charts"] as const;
type View = (typeof VIEWS)[number];

export function DatasetDetail({ dataset, close }: { dataset: Dataset; close: () => void }) {
  const asked = useAsked(
    async () => (await api.get("/api/v1/datasets/{dataset_id}", { at: { dataset_id: dataset.id } })).data,
    [dataset.id],
  );
  const rows = useMemo(() => rowsOf(dataset.id, dataset.n_samples), [dataset.id, dataset.n_samples]);
  const wanted = query.value.get("view") as View | null;
  const view = wanted && VIEWS.includes(wanted) ? wanted : "details";
  const known = asked.data;
  return (
    <Opened title={dataset.name} close={close} isLong>
      {dataset.description && <p>{dataset.description}</p>}
      <Actions dataset={dataset} />
      <Tabs
        label={dataset.name}
        tabs={VIEWS.map((one) => [one, t(`data.${one}`)])}
        chosen={view}
        choose={(one) => setQuery({ view: one === "details" ? null : one })}
      />
      {asked.error && <Failed error={asked.error} retry={() => void asked.reload()} />}
      {!known && !asked.error && <Loading />}
      {known && view === "details" && <Details known={known} />}
      {known && view === "preview" && <Preview known={known} rows={rows} />}
      {known && view === "charts" && <Charts known={known} rows={rows} />}
    </Opened>
  );
}

function Actions({ dataset }: { dataset: Dataset }) {
  const asked = useSignal<"check" | "delete" | null>(null);
  const close = () => {
    asked.value = null;
  };
  const at = { dataset_id: dataset.id };
  const remove = () =>
    act(
      async () => {
        await api.delete("/api/v1/datasets/{dataset_id}", { at });
        datasets.remove(dataset.id, link.lastSeq);
        setQuery({ dataset: null, view: null });
      },
      {
        done: t("data.deleted"),
        wasDone: () =>
          api.get("/api/v1/datasets/{dataset_id}", { at }).then(
            () => false,
            (error) => error instanceof Refused && error.status === 404,
          ),
      },
    );
  const ask = (what: "check" | "delete") => () => {
    asked.value = what;
  };
  return (
    <div class="actions">
      {may("learning:write") && (
        <Link class="button main-action" to={`/models?train=${dataset.id}`}>
          {t("data.train")}
        </Link>
      )}
      {may("ml:anomaly") && (
        <button type="button" class="button" onClick={ask("check")}>
          {t("data.check")}
        </button>
      )}
      {may("learning:write") && (
        <button type="button" class="button danger" onClick={ask("delete")}>
          {t("common.delete")}
        </button>
      )}
      {asked.value === "check" && <CheckDialog dataset={dataset} close={close} />}
      {asked.value === "delete" && (
        <Confirm
          title={t("data.delete_title", { name: dataset.name })}
          text={t("data.delete_text")}
          action={t("common.delete")}
          isDanger
          act={remove}
          close={close}
        />
      )}
    </div>
  );
}

function Details({ known }: { known: DatasetDetails }) {
  const lineage = Object.entries(known.lineage)
    .map(([name, value]) => [word(name), plain(name, value)] as const)
    .filter(([, value]) => value);
  return (
    <>
      <Pairs
        of={[
          [t("data.rows"), number(known.n_samples)],
          [t("data.columns"), number(known.columns.length)],
          [t("data.target"), known.target_column ?? "–"],
          [t("data.origin"), t(`data.origin_${known.origin}` as TextKey)],
          [t("data.size"), bytes(known.file_size_mb * MIB)],
          [t("data.created"), at(known.created_at, "full")],
        ]}
      />
      {known.warnings.length > 0 && (
        <div class="notice" role="note">
          <strong>{t("data.warnings")}</strong>
          {known.warnings.map((one) => (
            <span key={one}>{one}</span>
          ))}
        </div>
      )}
      <Table
        name="columns"
        rows={known.columns}
        columns={columnFacts(known)}
        id={(one) => one.name}
        hasFilter={known.columns.length > 12}
      />
      {lineage.length > 0 && (
        <Part title={t("data.lineage")}>
          <Pairs of={lineage} />
        </Part>
      )}
    </>
  );
}

function columnFacts(known: DatasetDetails): TableColumn<Column>[] {
  const figure = (key: "minimum" | "mean" | "maximum", title: string): TableColumn<Column> => ({
    key,
    title,
    isNumber: true,
    cell: (one) => number(one[key]),
    by: (one) => one[key] ?? Number.NEGATIVE_INFINITY,
  });
  return [
    {
      key: "name",
      title: t("data.column"),
      cell: (one) => (
        <>
          {one.name} {one.name === known.target_column && <Chip>{t("data.is_target")}</Chip>}
        </>
      ),
      by: (one) => one.name,
    },
    {
      key: "kind",
      title: t("data.kind"),
      cell: (one) => t(`data.kind_${one.kind}` as TextKey),
      by: (one) => one.kind,
    },
    {
      key: "missing",
      title: t("data.missing"),
      isNumber: true,
      cell: (one) => (one.missing ? number(one.missing) : "–"),
      by: (one) => one.missing,
    },
    {
      key: "distinct",
      title: t("data.distinct"),
      isNumber: true,
      cell: (one) => number(one.distinct),
      by: (one) => one.distinct,
    },
    figure("minimum", t("data.least")),
    figure("mean", t("data.mean")),
    figure("maximum", t("data.most")),
  ];
}
