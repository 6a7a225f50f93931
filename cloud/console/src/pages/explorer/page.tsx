/** A form for every operation of the API, made from its own document. */

import { useComputed } from "@preact/signals";
import whereItIs from "../../../../../build/openapi.json?url";
import { Chip } from "../../parts/marks";
import { Failed, Loading, PageHead } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { query, setQuery } from "../../router";
import { may } from "../../stores/session";
import { t } from "../../text";
import { OperationForm } from "./form";
import { type Document, found, type Operation, operationsOf } from "./operations";
import "../../style/explorer.css";

let kept: Promise<Document> | null = null;

/** The document, read once: it is large and does not change while the server runs. */
function readDocument(): Promise<Document> {
  kept ??= fetch(whereItIs).then((response) => {
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json() as Promise<Document>;
  });
  kept.catch(() => {
    kept = null;
  });
  return kept;
}

export function ExplorerPage(_: { at: Record<string, string> }) {
  const asked = useAsked(async () => {
    const document = await readDocument();
    return { all: operationsOf(document), schemas: document.components.schemas };
  }, []);
  const search = useComputed(() => query.value.get("q") ?? "");
  if (!asked.data) {
    return (
      <>
        <PageHead title={t("explorer.title")} />
        {asked.error ? <Failed error={asked.error} retry={() => void asked.reload()} /> : <Loading />}
      </>
    );
  }
  const { all, schemas } = asked.data;
  const shown = found(all, search.value);
  const chosen = all.find((one) => one.id === query.value.get("op"));
  return (
    <>
      <PageHead title={t("explorer.title")}>
        <a href="/docs" target="_blank" rel="noreferrer">
          {t("explorer.docs")}
        </a>
      </PageHead>
      <div class={`explorer ${chosen ? "has-chosen" : ""}`}>
        <nav class="operations" aria-label={t("explorer.operations")}>
          <input
            type="search"
            data-search
            aria-label={t("common.search")}
            placeholder={t("explorer.search")}
            value={search.value}
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
          <p class="quiet" role="status">
            {t("common.rows_of", { shown: shown.length, n: all.length })}
          </p>
          <List of={shown} chosen={chosen?.id ?? ""} />
        </nav>
        {chosen ? (
          <OperationForm key={chosen.id} of={chosen} schemas={schemas} />
        ) : (
          <div class="panel empty operation">{t("explorer.none_chosen")}</div>
        )}
      </div>
    </>
  );
}

function List({ of, chosen }: { of: readonly Operation[]; chosen: string }) {
  const groups = new Map<string, Operation[]>();
  for (const one of of) groups.set(one.tag, [...(groups.get(one.tag) ?? []), one]);
  return (
    <div class="groups">
      {[...groups].map(([tag, operations]) => (
        <section key={tag}>
          <h2>{tag || t("explorer.root")}</h2>
          <ul>
            {operations.map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  aria-current={one.id === chosen ? "true" : undefined}
                  onClick={() => setQuery({ op: one.id }, { replace: false })}
                  title={`${one.method} ${one.path}`}
                >
                  <span class="method">{one.method}</span>
                  <span class="clip">{one.summary || one.path}</span>
                  {!one.scopes.every(may) && <Chip>{t("explorer.may_not")}</Chip>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
