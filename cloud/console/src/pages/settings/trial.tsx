/** Sends a test by mail or Slack now, and says how it came out. */

import { useSignal } from "@preact/signals";
import { api, Refused } from "../../api/client";
import { reason } from "../../says/refusal";
import { toast } from "../../stores/toasts";
import { t } from "../../text";

type Channel = "email" | "slack";

/** Do a test and tell its outcome. */
export async function tellTrial(
  work: () => Promise<{ data: { success: boolean; error: string; seconds: number } }>,
): Promise<void> {
  try {
    const { data } = await work();
    if (data.success) toast("good", t("settings.test_came", { s: data.seconds.toFixed(2) }));
    else toast("bad", t("settings.test_failed", { why: data.error }));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isUnset = error instanceof Refused && error.code === "NO_TARGET";
    toast("bad", isUnset ? t("settings.test_unset") : t("settings.test_failed", { why: reason(error) }));
  }
}

export function Trial({ isChanged }: { isChanged: boolean }) {
  const isBusy = useSignal(false);
  const send = async (channel: Channel) => {
    isBusy.value = true;
    await tellTrial(() => api.post("/api/v1/notifications/test", { body: { channel } }));
    isBusy.value = false;
  };
  return (
    <>
      <span class="grow" />
      <button type="button" class="button" disabled={isChanged || isBusy.value} onClick={() => void send("email")}>
        {t("settings.test_mail")}
      </button>
      <button type="button" class="button" disabled={isChanged || isBusy.value} onClick={() => void send("slack")}>
        {t("settings.test_slack")}
      </button>
    </>
  );
}
