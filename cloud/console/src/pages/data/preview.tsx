/** The rows of a dataset: as many as there are, read as they come into view. */
import { useMemo } from "preact/hooks";
import { number } from "../../parts/number";
import { Failed } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import type { DatasetDetails, Rows } from "../../stores/datasets";
import { t } from "../../text";
import { at } from "../../time/zone";

const MOST_COLUMNS = 60;

export function Preview({ known, rows }: { known: DatasetDetails; rows: Rows }) {
  const numbers = useMemo(() => Array.from({ length: known.n_samples }, (_, index) => index), [known.n_samples]);
  const version = rows.version.value;
  const columns = useMemo(() => columnsOf(known, rows), [known, rows, version]);
  if (rows.error.value) return <Failed error={rows.error.value} retry={() => rows.retry()} />;
  return (
    <Table name="preview" rows={numbers} columns={columns} id={String} hasFilter={false} height="min(70vh, 640px)" />
  );
}

function columnsOf(known: DatasetDetails, rows: Rows): Column<number>[] {
  const shown = known.columns.slice(0, MOST_COLUMNS);
  return [
    {
      key: "#",
      title: t("data.row"),
      isNumber: true,
      cell: (index) => <span class="quiet">{number(index + 1)}</span>,
    },
    ...shown.map((column): Column<number> => {
      const isNumber = column.kind === "number";
      return {
        key: column.name,
        title: column.name,
        isNumber,
        cell: (index) => {
          const row = rows.at(index);
          if (!row) return <span class="quiet">…</span>;
          const value = row[column.name];
          if (value === null || value === undefined) return <span class="quiet">–</span>;
          if (column.kind === "time") return at(String(value), "full");
          return isNumber ? number(value, "", 6) : String(value);
        },
      };
    }),
  ];
}
