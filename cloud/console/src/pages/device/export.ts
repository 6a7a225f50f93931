/** Take readings along as CSV: a job writes the file, the browser fetches it when it is there. */
import { type Answer, api } from "../../api/client";
import { reason } from "../../says/refusal";
import { newKey } from "../../stores/once";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

type ExportView = Answer<"/api/v1/export/{export_id}">;

const POLL_MS = 1500;
const LONGEST_MS = 10 * 60_000;

export interface Exported {
  device: string;
  channels: readonly string[];
  from: number;
  to: number;
}

/** Return whether nothing will change any more. */
export const isFinal = (view: Pick<ExportView, "status">): boolean =>
  ["SUCCESS", "FAILURE", "REVOKED"].includes(view.status);

/** Ask for the file and fetch it; says how it went, never throws for what a server may answer. */
export async function exportCsv(wanted: Exported): Promise<void> {
  const told = toast("wait", t("device.export_begun"));
  try {
    const { data } = await api.post("/api/v1/export", {
      body: {
        format: "csv",
        from: new Date(wanted.from).toISOString(),
        to: new Date(wanted.to).toISOString(),
        device_ids: [wanted.device],
        metrics: [...wanted.channels],
      },
      idempotencyKey: newKey(),
    });
    const done = await finished(data.id);
    if (!done.download_url) throw new Error(done.error ?? t("device.export_late"));
    fetchFile(done.download_url, done.filename ?? "");
    told.say("good", t("device.export_done", { n: done.rows ?? 0 }));
  } catch (error) {
    told.say("bad", t("common.not_saved", { why: reason(error instanceof Error ? error : new Error(String(error))) }));
  }
}

async function finished(id: string): Promise<ExportView> {
  const until = Date.now() + LONGEST_MS;
  for (;;) {
    const { data } = await api.get("/api/v1/export/{export_id}", { at: { export_id: id } });
    if (isFinal(data) || Date.now() > until) return data;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function fetchFile(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
