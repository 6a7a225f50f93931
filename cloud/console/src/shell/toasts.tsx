/** Shows the short messages of actions. */
import { dismiss, toasts } from "../stores/toasts";
import { t } from "../text";

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast ${one.tone}`} role={one.tone === "bad" ? "alert" : "status"}>
          <span class="grow">{one.text}</span>
          <button
            type="button"
            class="button plain icon"
            aria-label={t("common.close")}
            onClick={() => dismiss(one.id)}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
