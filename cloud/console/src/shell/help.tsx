/** The overlay that lists every keyboard shortcut. */
import { type Shortcut, shortcuts } from "../keys";
import { Dialog } from "../parts/dialog";
import { t } from "../text";

export function Help({ close }: { close: () => void }) {
  const all = shortcuts.value;
  const here = all.filter((one) => !one.isGlobal);
  return (
    <Dialog title={t("shell.shortcuts")} close={close}>
      {here.length > 0 && <List title={t("shell.shortcut_page")} of={here} />}
      <List title={t("shell.shortcut_anywhere")} of={all.filter((one) => one.isGlobal)} />
    </Dialog>
  );
}

function List({ title, of }: { title: string; of: readonly Shortcut[] }) {
  return (
    <section class="stack">
      <h3>{title}</h3>
      <dl class="pairs">
        {of.map((one) => [
          <dt key={`${one.keys}-t`}>
            {one.keys.split(" ").map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>,
          <dd key={`${one.keys}-d`}>{one.text}</dd>,
        ])}
      </dl>
    </section>
  );
}
