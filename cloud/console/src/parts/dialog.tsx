/** A dialog over the page: the browser's own, so that keys, focus and Escape do what people expect. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../text";

export interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
  /** Makes it a form: Enter and the main button submit. */
  submit?: () => void;
  submitText?: string;
  isBusy?: boolean;
  isDanger?: boolean;
  isWide?: boolean;
}

export function Dialog(props: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const inside = (
    <>
      <h2 id={titleId}>{props.title}</h2>
      {props.children}
      <footer>
        <button type="button" class="button" onClick={props.close}>
          {props.submit ? t("common.cancel") : t("common.close")}
        </button>
        {props.submit && (
          <button type="submit" class={`button ${props.isDanger ? "danger" : "main-action"}`} disabled={props.isBusy}>
            {props.submitText ?? t("common.save")}
          </button>
        )}
      </footer>
    </>
  );
  return (
    <dialog
      ref={box}
      class={props.isWide ? "wide" : ""}
      aria-labelledby={titleId}
      onClose={props.close}
      onCancel={(event) => {
        event.preventDefault();
        props.close();
      }}
    >
      {props.submit ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!props.isBusy) props.submit?.();
          }}
        >
          {inside}
        </form>
      ) : (
        <div>{inside}</div>
      )}
    </dialog>
  );
}
