/** The keys by which a page goes through the rows of its table, wherever the focus is. */
import type { Shortcut } from "../keys";
import { t } from "../text";

export interface RowMoves {
  move: (step: number) => void;
  open: () => void;
}

/** Return j, k and Enter; what they do is looked up when they are pressed. */
export function rowKeys(rows: { current: RowMoves }): Shortcut[] {
  return [
    { keys: "j", text: t("common.key_next"), act: () => rows.current.move(1) },
    { keys: "k", text: t("common.key_previous"), act: () => rows.current.move(-1) },
    { keys: "Enter", text: t("common.key_open"), act: () => rows.current.open() },
  ];
}
