/** One model: its versions, champion against the chosen one, who runs it, what it learned from. */
import { Opened, Part } from "../../parts/beside";
import { Chip } from "../../parts/marks";
import { bytes, number } from "../../parts/number";
import { Failed, Loading, Pairs } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked } from "../../parts/use";
import { who } from "../../parts/who";
import { Link, query, setQuery } from "../../router";
import { datasetId } from "../../stores/datasets";
import { gateways } from "../../stores/gateways";
import {
  challengerOf,
  hasPackage,
  latency,
  type Model,
  type ModelDetails,
  readModel,
  sizeOf,
  usesOf,
  type Version,
} from "../../stores/models";
import { t } from "../../text";
import { at } from "../../time/zone";
import { plain } from "../jobs/words";
import { Actions } from "./actions";
import { Compared } from "./compare";
import { Uses } from "./uses";
import { algorithmName, called, figure } from "./words";

export function ModelDetail({ model, close }: { model: Model; close: () => void }) {
  const asked = useAsked(() => readModel(model.name), [model.name], 10);
  const known = asked.data;
  return (
    <Opened title={model.name} close={close} isLong>
      {asked.error && !known && <Failed error={asked.error} retry={() => void asked.reload()} />}
      {!known && !asked.error && <Loading />}
      {known && <Known model={known} reload={asked.reload} />}
    </Opened>
  );
}

function Known({ model, reload }: { model: ModelDetails; reload: () => Promise<void> }) {
  const wanted = Number(query.value.get("version"));
  const chosen = model.versions.find((one) => one.version === wanted) ?? challengerOf(model);
  if (!chosen) return <p class="quiet">{t("common.none")}</p>;
  return (
    <>
      <Actions model={model} version={chosen} reload={reload} />
      <Table
        name="versions"
        rows={model.versions}
        columns={columns(model)}
        id={(one) => String(one.version)}
        open={(one) => setQuery({ version: one.version })}
        opened={String(chosen.version)}
        sortedBy="-version"
        hasFilter={false}
        height="260px"
      />
      <Compared model={model} chosen={chosen} />
      <Uses model={model.name} />
      <About model={model} version={chosen} />
    </>
  );
}

function columns(model: ModelDetails): Column<Version>[] {
  const aliases = Object.entries(model.aliases as Record<string, number>);
  const uses = (one: Version) => usesOf(gateways.list.value, model.name, one.version);
  return [
    {
      key: "version",
      title: t("models.version"),
      cell: (one) => (
        <span class="nowrap">
          {number(one.version)}{" "}
          {aliases
            .filter(([, version]) => version === one.version)
            .map(([alias]) => (
              <Chip key={alias}>{called("alias", alias)}</Chip>
            ))}
        </span>
      ),
      by: (one) => one.version,
    },
    {
      key: "algorithm",
      title: t("models.algorithm"),
      cell: (one) => algorithmName(one.algorithm),
      by: (one) => one.algorithm,
    },
    {
      key: "size",
      title: t("models.size"),
      isNumber: true,
      cell: (one) => bytes(sizeOf(one)),
      by: sizeOf,
    },
    {
      key: "edge",
      title: t("models.edge_latency"),
      isNumber: true,
      cell: (one) => number(latency(uses(one)), "µs", 3),
      by: (one) => latency(uses(one)) ?? 0,
    },
    {
      key: "int8",
      title: t("models.int8"),
      isNumber: true,
      cell: (one) => figure("int8_agreement", (one.metrics as Record<string, number>).int8_agreement),
      by: (one) => (one.metrics as Record<string, number>).int8_agreement ?? 0,
    },
    { key: "made", title: t("models.made"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    {
      key: "published",
      title: t("models.published"),
      cell: (one) => (one.published_at ? at(one.published_at) : <span class="quiet">–</span>),
      by: (one) => one.published_at ?? "",
    },
  ];
}

const SIMPLE = new Set(["string", "number", "boolean"]);

function About({ model, version }: { model: ModelDetails; version: Version }) {
  const lineage = version.lineage as Record<string, unknown>;
  const dataset = typeof lineage.dataset === "string" ? lineage.dataset : "";
  const parameters = Object.entries(model.parameters as Record<string, unknown>)
    .filter(([, value]) => SIMPLE.has(typeof value))
    .map(([name, value]) => [name.replaceAll("_", " "), plain(name, value)] as const)
    .filter(([, value]) => value);
  const features = (lineage.features as string[] | undefined) ?? model.training_data.features;
  return (
    <Part title={t("models.learned_from")}>
      <Pairs
        of={[
          [
            t("work.rows"),
            typeof lineage.rows === "number" ? number(lineage.rows) : number(model.training_data.rows || null),
          ],
          [t("models.channels"), features.join(", ") || "–"],
          [
            t("models.dataset"),
            dataset ? (
              <Link to={`/data?dataset=${datasetId(dataset)}`}>{String(lineage.dataset_name ?? dataset)}</Link>
            ) : (
              "–"
            ),
          ],
          [t("models.made_by"), who(version.created_by)],
          [t("models.published"), version.published_at ? at(version.published_at, "full") : t("models.not_published")],
          [t("models.deployed"), at(version.deployed_at, "full")],
          ["SHA-256", <code key="sha">{version.sha256.slice(0, 16)}…</code>],
        ]}
      />
      {!hasPackage(version) && <p class="quiet">{t("models.no_package")}</p>}
      {parameters.length > 0 && (
        <details>
          <summary>{t("models.parameters")}</summary>
          <Pairs of={parameters} />
        </details>
      )}
    </Part>
  );
}
