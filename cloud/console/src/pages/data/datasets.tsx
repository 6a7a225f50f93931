/** The list of datasets, and how a new one comes. */
import { useSignal } from "@preact/signals";
import { Beside } from "../../parts/beside";
import { bytes, number } from "../../parts/number";
import { Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { type Dataset, datasetId, datasets } from "../../stores/datasets";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { at } from "../../time/zone";
import { DatasetDetail } from "./detail";
import { DrawDialog } from "./draw";
import { UploadDialog } from "./upload";

const MIB = 1_048_576;

function columns(isShort: boolean): Column<Dataset>[] {
  const all: Column<Dataset>[] = [
    { key: "name", title: t("common.name"), cell: (one) => one.name, by: (one) => one.name },
    {
      key: "rows",
      title: t("data.rows"),
      isNumber: true,
      cell: (one) => number(one.n_samples),
      by: (one) => one.n_samples,
    },
    {
      key: "columns",
      title: t("data.columns"),
      isNumber: true,
      cell: (one) => number(one.n_features + (one.has_target ? 1 : 0)),
      by: (one) => one.n_features,
    },
    {
      key: "target",
      title: t("data.target"),
      cell: (one) => one.target_column ?? <span class="quiet">–</span>,
      by: (one) => one.target_column ?? "",
    },
    {
      key: "format",
      title: t("data.format"),
      cell: (one) => t(`data.format_${one.file_format}` as TextKey),
      by: (one) => one.file_format,
    },
    {
      key: "size",
      title: t("data.size"),
      isNumber: true,
      cell: (one) => bytes(one.file_size_mb * MIB),
      by: (one) => one.file_size_mb,
    },
    { key: "created", title: t("data.created"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
  ];
  return isShort ? all.filter((one) => ["name", "rows", "created"].includes(one.key)) : all;
}

export function DatasetsTab() {
  useKept(datasets, 20);
  const asked = useSignal<"upload" | "draw" | null>(null);
  const id = datasetId(query.value.get("dataset") ?? "");
  const opened = id ? datasets.get(id) : undefined;
  const close = () => {
    asked.value = null;
  };
  const ask = (what: "upload" | "draw") => () => {
    asked.value = what;
  };
  const actions = may("learning:write") && (
    <span class="row">
      <button type="button" class="button main-action" onClick={ask("upload")}>
        {t("data.upload")}
      </button>
      <button type="button" class="button" onClick={ask("draw")}>
        {t("data.from_readings")}
      </button>
    </span>
  );
  const empty = (
    <>
      <p>{t("data.none_yet")}</p>
      <p>{t("data.none_next")}</p>
      {actions}
    </>
  );
  return (
    <>
      <Ready of={datasets} empty={empty}>
        <Beside isOpen={Boolean(opened)} isHalf>
          <Table
            name="datasets"
            rows={datasets.list.value}
            columns={columns(Boolean(opened))}
            id={(one) => one.id}
            open={(one) => setQuery({ dataset: one.id === id ? null : one.id, view: null })}
            opened={id}
            sortedBy="-created"
            tools={actions}
          />
          {opened && <DatasetDetail key={id} dataset={opened} close={() => setQuery({ dataset: null, view: null })} />}
        </Beside>
      </Ready>
      {asked.value === "upload" && <UploadDialog close={close} />}
      {asked.value === "draw" && <DrawDialog close={close} />}
    </>
  );
}
