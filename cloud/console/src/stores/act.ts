/** Actions that are confirmed or clearly failed: when the server dies meanwhile, it is asked whether it was done. */
import { Refused, Unreachable } from "../api/errors";
import { reason } from "../says/refusal";
import { t } from "../text";
import { isReachable } from "./link";
import { toast } from "./toasts";

export type Outcome = "done" | "refused" | "unknown" | "not_done";

export interface Action {
  /** What is said when it was done. */
  done?: string;
  /** After an answer that never came: whether the server has done it. Leave it out for what changes nothing. */
  wasDone?: () => Promise<boolean>;
  /** Called with a refusal; return true when the page shows it itself, beside its field. */
  refused?: (refused: Refused) => boolean;
}

const LONGEST_MS = 60_000;
const PAUSE_MS = 1_000;

/** Do it and say how it went; never throws for what a server may answer. */
export async function act(work: () => Promise<unknown>, action: Action = {}): Promise<Outcome> {
  try {
    await work();
    toast("good", action.done ?? t("common.done"));
    return "done";
  } catch (error) {
    if (error instanceof Refused) {
      if (!action.refused?.(error)) toast("bad", t("common.not_saved", { why: reason(error) }));
      return "refused";
    }
    if (!(error instanceof Unreachable)) throw error;
    return settle(action.wasDone);
  }
}

async function settle(wasDone: Action["wasDone"]): Promise<Outcome> {
  const told = toast("wait", t("common.unknown_outcome"));
  const until = Date.now() + LONGEST_MS;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (!(await isReachable())) continue;
    const isDone = wasDone ? await wasDone().catch(() => null) : false;
    if (isDone === null) continue;
    told.say(isDone ? "good" : "bad", isDone ? t("common.confirmed_late") : t("common.surely_not"));
    return isDone ? "done" : "not_done";
  }
  told.say("bad", t("common.still_unknown"));
  return "unknown";
}
