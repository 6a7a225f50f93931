/** What is slow: routes and queries of the API process that answers. */
import { type Answer, api } from "../../api/client";
import { number } from "../../parts/number";
import { Failed, Figure, Loading, Panel } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { t } from "../../text";

type Told = Answer<"/api/v1/performance/metrics">;

export function Performance() {
  const asked = useAsked(
    async () => (await api.get("/api/v1/performance/metrics", { query: { limit: 50 } })).data,
    [],
    10,
  );
  const told = asked.data;
  if (asked.error && !told) return <Failed error={asked.error} retry={() => void asked.reload()} />;
  if (!told) return <Loading />;
  return (
    <>
      <div class="figures">
        <Figure label={t("system.requests")} value={number(told.total_requests)} />
        <Figure label={t("system.active")} value={number(told.active_requests)} />
        <Figure label={t("system.average")} value={number(told.average_response_time_ms, "", 3)} unit="ms" />
        <Figure
          label={t("system.errors")}
          value={number(told.error_rate_percent, "", 3)}
          unit="%"
          tone={told.error_rate_percent >= 5 ? "warning" : ""}
        />
        <Figure label={t("system.hits")} value={number(told.cache_hit_rate_percent, "", 3)} unit="%" />
      </div>
      <Panel title={t("system.slow_routes")}>
        <Table
          name="routes"
          rows={told.slow_routes}
          columns={routes()}
          id={(one) => `${one.method} ${one.handler}`}
          sortedBy="-average"
          height="420px"
        />
      </Panel>
      <Panel title={t("system.slow_queries")}>
        <Table
          name="queries"
          rows={told.slow_queries}
          columns={queries()}
          id={(one) => one.statement}
          sortedBy="-average"
          height="420px"
        />
      </Panel>
      <p class="quiet">{t("system.performance_says")}</p>
    </>
  );
}

interface Timed {
  count: number;
  average_ms: number;
  longest_ms: number;
}

function times<T extends Timed>(): Column<T>[] {
  return [
    {
      key: "count",
      title: t("system.count"),
      cell: (one) => number(one.count),
      by: (one) => one.count,
      isNumber: true,
    },
    {
      key: "average",
      title: t("system.average_ms"),
      cell: (one) => number(one.average_ms, "", 3),
      by: (one) => one.average_ms,
      isNumber: true,
    },
    {
      key: "longest",
      title: t("system.longest_ms"),
      cell: (one) => number(one.longest_ms, "", 3),
      by: (one) => one.longest_ms,
      isNumber: true,
    },
  ];
}

function routes(): Column<Told["slow_routes"][number]>[] {
  return [
    { key: "method", title: t("system.method"), cell: (one) => one.method, by: (one) => one.method },
    { key: "route", title: t("system.route"), cell: (one) => <code>{one.handler}</code>, by: (one) => one.handler },
    ...times<Told["slow_routes"][number]>(),
    {
      key: "failures",
      title: t("system.failures"),
      cell: (one) => number(one.failures),
      by: (one) => one.failures,
      isNumber: true,
    },
  ];
}

function queries(): Column<Told["slow_queries"][number]>[] {
  return [
    {
      key: "query",
      title: t("system.query"),
      cell: (one) => <code title={one.statement}>{one.statement}</code>,
      by: (one) => one.statement,
    },
    ...times<Told["slow_queries"][number]>(),
  ];
}
