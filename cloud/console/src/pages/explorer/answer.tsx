/** What the API answered: status, time, headers of interest, the body with its lines. */
import { Mark } from "../../parts/marks";
import { bytes, number } from "../../parts/number";
import { Pairs, Panel } from "../../parts/panel";
import { reason } from "../../says/refusal";
import { t } from "../../text";
import { MOST_SHOWN, type Reply } from "./request";

export function Answer({ of }: { of: Reply | Error }) {
  if (of instanceof Error) {
    return (
      <Panel title={t("explorer.answer")}>
        <p role="alert">
          <Mark of="critical">{t("explorer.no_answer", { why: reason(of) })}</Mark>
        </p>
      </Panel>
    );
  }
  const tone = of.status >= 500 ? "critical" : of.status >= 400 ? "warning" : "normal";
  return (
    <Panel title={t("explorer.answer")}>
      <p class="row" role="status">
        <Mark of={tone}>
          <strong>{of.status}</strong>
        </Mark>
        <span class="quiet">
          {number(of.ms, "ms", 3)} · {bytes(of.size)}
        </span>
      </p>
      {of.headers.length > 0 && (
        <Pairs of={of.headers.map(([name, value]) => [name, <code key={name}>{value}</code>])} />
      )}
      {of.isCut && <p class="quiet">{t("explorer.cut", { n: MOST_SHOWN.toLocaleString() })}</p>}
      {of.text && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
        <pre class="reply" tabIndex={0}>
          {of.text}
        </pre>
      )}
    </Panel>
  );
}
