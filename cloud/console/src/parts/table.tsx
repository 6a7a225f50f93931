/** A table for thousands of rows: only what is in view is drawn; sort, filter, choose and open by mouse or keys. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useShortcuts } from "../keys";
import { query, setQuery } from "../router";
import { t } from "../text";
import { isNarrow } from "./narrow";
import { rowKeys } from "./row-keys";
import { filtered, inView, ROW, sorted } from "./rows";

export interface Column<T> {
  key: string;
  title: string;
  /** What is shown. */
  cell: (row: T) => ComponentChildren;
  /** What it is sorted and filtered by; without it the column is neither. */
  by?: (row: T) => string | number;
  isNumber?: boolean;
  /** Takes the room that the others leave, and is cut where there is too little. */
  isMain?: boolean;
  /** Left out on narrow screens. */
  isWide?: boolean;
}

export interface TableProps<T> {
  name: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  id: (row: T) => string;
  /** Called by Enter or a click on a row. */
  open?: (row: T) => void;
  opened?: string;
  /** Id of the row that the keys are at; with it j and k move from anywhere on the page. */
  cursor?: Signal<string>;
  /** Ids of chosen rows; without it rows have no box. */
  chosen?: Signal<ReadonlySet<string>>;
  empty?: ComponentChildren;
  /** The order before anybody sorts; keep rows as they come without it. */
  sortedBy?: string;
  height?: string;
  hasFilter?: boolean;
  /** How high a row is on a phone, px: its cells are piled up there, the main one last; without it rows go on sideways. */
  piled?: number;
  tools?: ComponentChildren;
}

/** Drawn anew after so many px of scrolling, fewer than the rows beyond the view are high. */
const DRAWN_AFTER = 6 * ROW;

export function Table<T>(props: TableProps<T>) {
  const { name, rows, columns, id, chosen } = props;
  const frame = useRef<HTMLElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  const ownCursor = useSignal("");
  const cursor = props.cursor ?? ownCursor;
  const row = props.piled && isNarrow.value ? props.piled : ROW;
  const isPiled = row !== ROW;
  const order = query.value.get(`${name}.sort`) ?? props.sortedBy ?? "";
  const text = query.value.get(`${name}.filter`) ?? "";
  const shown = useMemo(() => sorted(filtered(rows, columns, text), columns, order), [rows, columns, text, order]);
  const cut = useComputed(() => Math.floor(top.value / DRAWN_AFTER) * DRAWN_AFTER);
  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    const measure = new ResizeObserver(() => {
      height.value = box.clientHeight;
    });
    measure.observe(box);
    return () => measure.disconnect();
  }, [height]);
  const [first, last] = inView(shown.length, cut.value, height.value, row);

  const sort = (key: string) => setQuery({ [`${name}.sort`]: order === key ? `-${key}` : key });
  const here = () => shown.findIndex((one) => id(one) === cursor.value);
  const move = (step: number) => {
    const next = Math.max(0, Math.min(shown.length - 1, here() + step));
    const found = shown[next];
    if (found) cursor.value = id(found);
    frame.current?.scrollTo({ top: Math.max(0, next * row - height.value / 2) });
  };
  const keys = useRef({ move, open: () => {} });
  keys.current = {
    move,
    open: () => {
      const found = shown[here()];
      if (found) props.open?.(found);
    },
  };
  useShortcuts(props.cursor ? rowKeys(keys) : []);
  const press = (event: KeyboardEvent) => {
    if (event.target !== frame.current) return;
    const found = shown[here()];
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "PageDown") move(15);
    else if (event.key === "PageUp") move(-15);
    else if (event.key === "Enter" && found) props.open?.(found);
    else if (event.key === " " && found && chosen) toggle(chosen, id(found));
    else return;
    event.preventDefault();
  };
  const span = columns.length + (chosen ? 1 : 0);
  return (
    <div class="stack">
      {(props.hasFilter !== false || props.tools) && (
        <div class="tools">
          {props.hasFilter !== false && (
            <input
              type="search"
              aria-label={`${t("common.filter")}: ${name}`}
              placeholder={t("common.filter")}
              data-search
              value={text}
              onInput={(event) => setQuery({ [`${name}.filter`]: event.currentTarget.value })}
            />
          )}
          {props.tools}
          <span class="quiet" role="status">
            {text ? t("common.rows_of", { shown: shown.length, n: rows.length }) : t("common.rows", { n: rows.length })}
          </span>
        </div>
      )}
      <section
        class={isPiled ? "table piled" : "table"}
        ref={frame}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
        tabIndex={0}
        aria-label={name}
        style={props.height ? { maxHeight: props.height } : undefined}
        onScroll={(event) => {
          top.value = event.currentTarget.scrollTop;
        }}
        onKeyDown={press}
      >
        <table aria-rowcount={shown.length + 1}>
          <thead>
            <tr>
              {chosen && <ChooseAll rows={shown} id={id} chosen={chosen} />}
              {columns.map((one) => (
                <Heading key={one.key} column={one} order={order} sort={sort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <Gap height={first * row} span={span} />}
            {shown.slice(first, last).map((one, index) => (
              <Row
                key={id(one)}
                {...{ columns, chosen }}
                row={one}
                id={id(one)}
                open={props.open}
                isOpen={props.opened === id(one)}
                isAt={cursor.value === id(one)}
                height={isPiled ? row : null}
                position={first + index + 2}
              />
            ))}
            {last < shown.length && <Gap height={(shown.length - last) * row} span={span} />}
          </tbody>
        </table>
        {shown.length === 0 && (
          <div class="empty">{text ? t("common.nothing_fits") : (props.empty ?? t("common.none"))}</div>
        )}
      </section>
    </div>
  );
}

function Gap({ height, span }: { height: number; span: number }) {
  return (
    <tr class="gap">
      <td colSpan={span} style={{ height: `${height}px` }} />
    </tr>
  );
}

function kindOf<T>(column: Column<T>): string {
  const kind = column.isNumber ? "number" : column.isMain ? "main-column" : "";
  return column.isWide ? `${kind} wide-column` : kind;
}

function Heading<T>({ column, order, sort }: { column: Column<T>; order: string; sort: (key: string) => void }) {
  const isUp = order === column.key;
  const isDown = order === `-${column.key}`;
  return (
    <th scope="col" class={kindOf(column)} aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}>
      {column.by ? (
        <button type="button" onClick={() => sort(column.key)}>
          {column.title}
          <span aria-hidden="true">{isUp ? "▲" : isDown ? "▼" : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

interface RowProps<T> {
  row: T;
  id: string;
  columns: readonly Column<T>[];
  chosen?: Signal<ReadonlySet<string>>;
  open?: (row: T) => void;
  isOpen: boolean;
  isAt: boolean;
  position: number;
  /** In px where its cells are piled up. */
  height: number | null;
}

function Row<T>({ row, id, columns, chosen, open, isOpen, isAt, position, height }: RowProps<T>) {
  const click = (event: MouseEvent) => {
    if (!(event.target as Element).closest("a, button, input, select, label")) open?.(row);
  };
  return (
    <tr
      class={isOpen || isAt ? "open" : ""}
      aria-selected={chosen ? chosen.value.has(id) : undefined}
      aria-rowindex={position}
      style={height ? { height: `${height}px` } : undefined}
      onClick={open ? click : undefined}
    >
      {chosen && (
        <td>
          <input
            type="checkbox"
            aria-label={`${t("common.select_row")} ${id}`}
            checked={chosen.value.has(id)}
            onChange={() => toggle(chosen, id)}
          />
        </td>
      )}
      {columns.map((one) => (
        <td key={one.key} class={kindOf(one)}>
          {one.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function ChooseAll<T>({
  rows,
  id,
  chosen,
}: {
  rows: readonly T[];
  id: (row: T) => string;
  chosen: Signal<ReadonlySet<string>>;
}) {
  const isAll = rows.length > 0 && rows.every((one) => chosen.value.has(id(one)));
  return (
    <th scope="col">
      <input
        type="checkbox"
        aria-label={t("common.select_all")}
        checked={isAll}
        onChange={() => {
          chosen.value = isAll ? new Set() : new Set(rows.map(id));
        }}
      />
    </th>
  );
}

function toggle(chosen: Signal<ReadonlySet<string>>, id: string): void {
  const next = new Set(chosen.value);
  if (!next.delete(id)) next.add(id);
  chosen.value = next;
}
