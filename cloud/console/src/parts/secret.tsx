/** A secret that is shown this once, to be copied. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../text";

export function Copyable({ value, label }: { value: string; label: string }) {
  const box = useRef<HTMLInputElement>(null);
  const isCopied = useSignal(false);
  const copy = async () => {
    const done = navigator.clipboard?.writeText(value).then(
      () => true,
      () => false,
    );
    isCopied.value = (await done) ?? false;
    // Pages without https have no clipboard: the text is chosen, Ctrl+C does the rest.
    if (!isCopied.value) box.current?.select();
  };
  return (
    <div class="copyable">
      <input ref={box} readOnly value={value} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" class="button" onClick={() => void copy()}>
        {isCopied.value ? t("common.copied") : t("common.copy")}
      </button>
    </div>
  );
}
