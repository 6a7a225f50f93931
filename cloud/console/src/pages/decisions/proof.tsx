/** Shows what speaks for a request in words, with the way to where it came from. */
import type { ComponentChildren } from "preact";
import { api } from "../../api/client";
import { Mark } from "../../parts/marks";
import { number } from "../../parts/number";
import { Pairs } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { Link } from "../../router";
import { alarmSays, typeSays } from "../../says/alarm";
import type { Decision } from "../../stores/decisions";
import { type TextKey, t, word } from "../../text";
import { decisions as words } from "../../text/decisions";
import { ago, at } from "../../time/zone";
import { type Comparison, type Fact, pageOf, sortOut } from "./evidence";

const SHOWN = 8;

export function Proof({ of }: { of: Decision }) {
  const told = sortOut(of.evidence);
  const isEmpty = !told.says.length && !told.alarms.length && !told.facts.length && !told.figures.length;
  return (
    <section class="stack" aria-label={t("decisions.evidence")}>
      <h3>{t("decisions.evidence")}</h3>
      {told.says.map((one) => (
        <p key={one} class="quote">
          {one}
        </p>
      ))}
      {told.alarms.length > 0 && (
        <ul class="proofs">
          {told.alarms.slice(0, SHOWN).map((id) => (
            <AlarmLine key={id} id={id} />
          ))}
        </ul>
      )}
      {told.facts.map((one) => (
        <FactLine key={`${one.kind} ${one.id}`} of={one} />
      ))}
      {told.figures.length > 0 && <Figures of={told.figures} />}
      {told.rest.length > 0 && (
        <Pairs of={told.rest.map(([name, value]) => [nameOf(name), <Said key={name} name={name} value={value} />])} />
      )}
      {isEmpty && told.rest.length === 0 && <p class="quiet">{t("decisions.no_evidence")}</p>}
    </section>
  );
}

function nameOf(name: string): string {
  return `fact_${name}` in words.en ? t(`decisions.fact_${name}` as TextKey) : word(name);
}

function AlarmLine({ id }: { id: string }) {
  const asked = useAsked(async () => (await api.get("/api/v1/alerts/{alert_id}", { at: { alert_id: id } })).data, [id]);
  const to = `/alarms?alarm=${encodeURIComponent(id)}`;
  if (asked.error) return <li class="quiet">{t("decisions.alarm_gone", { id })}</li>;
  if (!asked.data) return <li class="quiet">{t("common.loading")}</li>;
  const alarm = asked.data;
  return (
    <li>
      <Mark of={alarm.severity} muted={alarm.state === "normal"}>
        <Link to={to}>{alarmSays(alarm) || typeSays(alarm.type ?? "alarm")}</Link>
      </Mark>
      <span class="quiet">
        {word(alarm.state)} · {ago(alarm.raised_at)}
      </span>
    </li>
  );
}

function FactLine({ of }: { of: Fact }) {
  const to = pageOf(of.kind, of.id);
  const isNamed = `fact_kind_${of.kind}` in words.en;
  const title = isNamed ? t(`decisions.fact_kind_${of.kind}` as TextKey, { id: of.id }) : `${word(of.kind)} ${of.id}`;
  return (
    <div class="fact">
      {to ? <Link to={to}>{title}</Link> : <strong>{title}</strong>}
      <Pairs of={of.pairs.map(([name, value]) => [nameOf(name), <Said key={name} name={name} value={value} />])} />
    </div>
  );
}

function Said({ name, value }: { name: string; value: unknown }): ComponentChildren {
  if (typeof value === "string") {
    const to = pageOf(name, value);
    if (to) return <Link to={to}>{value}</Link>;
    return /^\d{4}-\d\d-\d\dT/.test(value) ? at(value) : word(value);
  }
  if (typeof value === "number") return number(value, "", 3);
  if (typeof value === "boolean") return value ? t("common.yes") : t("common.no");
  if (Array.isArray(value))
    return value.map((one) => (typeof one === "number" ? number(one, "", 3) : String(one))).join(", ");
  return <code>{JSON.stringify(value)}</code>;
}

function Figures({ of }: { of: readonly Comparison[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("decisions.figure")}</th>
            <th scope="col" class="number">
              {t("decisions.serves")}
            </th>
            <th scope="col" class="number">
              {t("decisions.shall_serve")}
            </th>
          </tr>
        </thead>
        <tbody>
          {of.map((one) => (
            <tr key={one.figure}>
              <td>{nameOf(one.figure)}</td>
              <td class="number">{number(one.before, "", 3)}</td>
              <td class="number">{number(one.after, "", 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
