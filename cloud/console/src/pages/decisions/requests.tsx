/** The list of requests: what, about what, from whom, and how pressing it is. */
import { useEffect, useRef } from "preact/hooks";
import { Chip, Mark } from "../../parts/marks";
import { who } from "../../parts/who";
import type { Decision } from "../../stores/decisions";
import { type TextKey, t, word } from "../../text";
import { ago, length, ms, now } from "../../time/zone";

export function Requests(props: {
  of: readonly Decision[];
  chosen: string;
  choose: (id: string) => void;
  empty: string;
}) {
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }, [props.chosen]);
  if (!props.of.length) return <div class="panel empty requests">{props.empty}</div>;
  return (
    <ul class="requests" ref={box} aria-label={t("decisions.list")}>
      {props.of.map((one) => (
        <li key={one.id}>
          <button
            type="button"
            aria-current={one.id === props.chosen ? "true" : undefined}
            onClick={() => props.choose(one.id)}
          >
            <span class="row spread nowrap">
              <span class="quiet">{t(`decisions.kind_${one.kind}` as TextKey)}</span>
              <Pressing of={one} />
            </span>
            <strong>{one.title}</strong>
            <span class="quiet clip">
              {[one.device_id, who(one.requested_by), ago(one.requested_at)].filter(Boolean).join(" · ")}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** How pressing a request is, or what became of it. */
export function Pressing({ of }: { of: Decision }) {
  if (of.state === "deferred") return <Chip>{t("decisions.back_in", { time: ago(of.deferred_until) })}</Chip>;
  if (of.state !== "open") return <Chip>{word(of.state)}</Chip>;
  if (of.due_at && ms(of.due_at) < now.value) {
    return <Mark of="warning">{t("decisions.overdue", { time: length((now.value - ms(of.due_at)) / 1000) })}</Mark>;
  }
  if (of.due_at) return <span class="quiet">{t("decisions.due_in", { time: ago(of.due_at) })}</span>;
  if (of.expires_at) return <span class="quiet">{t("decisions.closes_in", { time: ago(of.expires_at) })}</span>;
  return null;
}
