/** Changes of alarms: one by its own address, many by one request, and whether it was done when the server died. */
import { api } from "../../api/client";
import { codeSays } from "../../says/refusal";
import { act, type Outcome } from "../../stores/act";
import { type Alarm, take, takeAll } from "../../stores/alarms";
import { toast } from "../../stores/toasts";
import { type TextKey, t } from "../../text";
import { isDone, type Verb } from "./judge";

export interface Details {
  comment?: string;
  for_s?: number;
  one_shot?: boolean;
  to?: string;
  verdict?: "true_fault" | "false_alarm";
  kind?: string;
  note?: string;
}

type OfMany = Exclude<Verb, "label">;
const MOST = 1_000;
/** So many are looked at after an answer that never came: they were changed together. */
const LOOKED_AT = 10;

/** Do something to alarms and say how it went. */
export function change(verb: Verb, ids: readonly string[], details: Details = {}): Promise<Outcome> {
  const [first] = ids;
  const work = () => (ids.length === 1 && first ? one(verb, first, details) : many(verb as OfMany, ids, details));
  return act(work, {
    done: t(`alarms.done_${verb}` as TextKey, { n: ids.length }),
    wasDone: () => wasDone(verb, ids, details.to ?? details.verdict ?? ""),
  });
}

async function one(verb: Verb, id: string, details: Details): Promise<void> {
  const at = { alert_id: id };
  const path = `/api/v1/alerts/{alert_id}/${verb.replaceAll("_", "-")}` as "/api/v1/alerts/{alert_id}/acknowledge";
  const hasBody = verb !== "unshelve" && verb !== "return_to_service";
  const { data } = await api.post(path, hasBody ? { at, body: details } : { at });
  take(data as Alarm);
}

async function many(verb: OfMany, ids: readonly string[], details: Details): Promise<void> {
  for (let begin = 0; begin < ids.length; begin += MOST) {
    const some = ids.slice(begin, begin + MOST);
    const body = { action: verb, ids: some, partial: true, ...details };
    const { data } = await api.post("/api/v1/alerts/bulk", { body: body as never });
    takeAll(data.results.flatMap((result) => (result.alert ? [result.alert as Alarm] : [])));
    const refused = data.results.find((result) => !result.ok);
    if (refused)
      toast(
        "bad",
        t("alarms.some_refused", { n: data.refused, why: codeSays(refused.code ?? "", refused.error ?? "") }),
      );
  }
}

async function wasDone(verb: Verb, ids: readonly string[], value: string): Promise<boolean> {
  const asked = ids.slice(0, LOOKED_AT).map((id) => api.get("/api/v1/alerts/{alert_id}", { at: { alert_id: id } }));
  const found = (await Promise.all(asked)).map((told) => told.data as Alarm);
  takeAll(found);
  return found.every((alarm) => isDone(verb, alarm, value));
}

/** Write something beside an alarm. */
export function comment(id: string, text: string): Promise<Outcome> {
  const at = { alert_id: id };
  return act(() => api.post("/api/v1/alerts/{alert_id}/comments", { at, body: { comment: text } }), {
    done: t("alarms.done_comment"),
    wasDone: async () => {
      const { data } = await api.get("/api/v1/alerts/{alert_id}", { at });
      return data.comments.some((found) => found.text === text);
    },
  });
}
