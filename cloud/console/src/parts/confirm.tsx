/** Asks once more before something that cannot be taken back. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Dialog } from "./dialog";

export interface ConfirmProps {
  title: string;
  text: ComponentChildren;
  /** What the button says. */
  action: string;
  isDanger?: boolean;
  act: () => Promise<unknown>;
  close: () => void;
  children?: ComponentChildren;
}

export function Confirm(props: ConfirmProps) {
  const isBusy = useSignal(false);
  const submit = async () => {
    isBusy.value = true;
    try {
      await props.act();
    } finally {
      isBusy.value = false;
      props.close();
    }
  };
  return (
    <Dialog
      title={props.title}
      close={props.close}
      submit={() => void submit()}
      submitText={props.action}
      isBusy={isBusy.value}
      isDanger={props.isDanger}
    >
      <p>{props.text}</p>
      {props.children}
    </Dialog>
  );
}
