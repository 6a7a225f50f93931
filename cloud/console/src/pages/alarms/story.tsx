/** What was said and what became of an alarm, the newest last. */
import { useSignal } from "@preact/signals";
import type { Answer } from "../../api/client";
import { who } from "../../parts/who";
import { may } from "../../stores/session";
import { t, word } from "../../text";
import { at } from "../../time/zone";
import { comment } from "./change";

type Story = Answer<"/api/v1/alerts/{alert_id}">;

interface CommentsProps {
  id: string;
  comments: Story["comments"];
  reload: () => Promise<void>;
}

const MOST = 2_000;

export function Comments({ id, comments, reload }: CommentsProps) {
  const text = useSignal("");
  const isBusy = useSignal(false);
  const send = async () => {
    const said = text.value.trim();
    if (!said || isBusy.value) return;
    isBusy.value = true;
    if ((await comment(id, said)) === "done") text.value = "";
    isBusy.value = false;
    await reload();
  };
  return (
    <section class="stack">
      <h3>{t("alarms.comments")}</h3>
      {comments.length === 0 && <p class="quiet">{t("alarms.no_comments")}</p>}
      {comments.map((one) => (
        <blockquote key={one.at + one.by}>
          <p>{one.text}</p>
          <footer class="quiet">
            {who(one.by)}, {at(one.at)}
          </footer>
        </blockquote>
      ))}
      {may("alarms:write") && (
        <form
          class="say"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <input
            aria-label={t("common.comment")}
            placeholder={t("alarms.comment_here")}
            maxLength={MOST}
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="button" disabled={isBusy.value || !text.value.trim()}>
            {t("common.add")}
          </button>
        </form>
      )}
    </section>
  );
}

export function History({ of }: { of: Story["history"] }) {
  return (
    <section class="stack">
      <h3>{t("alarms.history")}</h3>
      <ol class="history">
        {of.map((one) => (
          <li key={one.at + one.action}>
            <time dateTime={one.at} title={at(one.at, "full")}>
              {at(one.at, "seconds")}
            </time>
            <span>
              {word(one.action.replace(/^alarm\./, ""))} <span class="quiet">{who(one.by)}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
