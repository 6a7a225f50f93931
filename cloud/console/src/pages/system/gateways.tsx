/** Gateways: who is there, how their clocks go, and where every reading that they made is. */
import { Chip, Mark } from "../../parts/marks";
import { number } from "../../parts/number";
import { Pairs, Panel, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { Link, query, setQuery } from "../../router";
import { type Gateway, gateways } from "../../stores/gateways";
import { t, word } from "../../text";
import { ago, at } from "../../time/zone";

/** A clock that is off by more is worth a word. */
const SKEW_S = 1;
const ACCOUNT = [
  "made",
  "stored",
  "buffered",
  "dropped",
  "lost",
  "duplicates",
  "replaced",
  "quarantined",
  "undecoded",
  "resent",
  "conflicting",
  "ahead",
] as const;

export const addsUp = (one: Gateway): boolean => one.epochs.every((epoch) => epoch.adds_up);

export function Gateways() {
  useKept(gateways, 10);
  const opened = gateways.get(query.value.get("gateway") ?? "");
  return (
    <>
      <Ready of={gateways} empty={t("system.no_gateways")}>
        <Table
          name="gateways"
          rows={gateways.list.value}
          columns={columns()}
          id={(one) => one.gateway_id}
          sortedBy="id"
          open={(one) => setQuery({ gateway: one.gateway_id })}
          opened={opened?.gateway_id}
          height={opened ? "40vh" : undefined}
        />
      </Ready>
      {opened && <Detail of={opened} close={() => setQuery({ gateway: null })} />}
    </>
  );
}

function columns(): Column<Gateway>[] {
  const count = (key: "made" | "stored" | "buffered" | "dropped" | "lost", title: string): Column<Gateway> => ({
    key,
    title,
    cell: (one) => number(one.total[key]),
    by: (one) => one.total[key],
    isNumber: true,
  });
  return [
    { key: "id", title: t("common.gateway"), cell: (one) => one.gateway_id, by: (one) => one.gateway_id },
    { key: "state", title: t("common.state"), cell: (one) => <StateOf of={one} />, by: (one) => Number(one.is_online) },
    { key: "version", title: t("system.version_word"), cell: (one) => one.version, by: (one) => one.version },
    {
      key: "skew",
      title: t("system.skew"),
      cell: (one) => <Skew of={one} />,
      by: (one) => Math.abs(one.clock_skew_s ?? 0),
      isNumber: true,
    },
    count("made", t("system.made")),
    count("stored", t("system.stored")),
    count("buffered", t("system.buffered")),
    count("dropped", t("system.dropped")),
    count("lost", t("system.lost")),
    {
      key: "account",
      title: t("system.account"),
      cell: (one) => <Account isEven={addsUp(one)} />,
      by: (one) => Number(addsUp(one)),
    },
    {
      key: "alarms",
      title: t("system.alarms"),
      cell: (one) => one.alarms.map(word).join(", ") || "–",
      by: (one) => one.alarms.length,
    },
    {
      key: "models",
      title: t("system.models"),
      cell: (one) => number(one.models.length),
      by: (one) => one.models.length,
      isNumber: true,
    },
  ];
}

function StateOf({ of }: { of: Gateway }) {
  if (of.is_online) return <>{t("system.online")}</>;
  return (
    <Mark of="offline">
      {t("system.silent")} <span class="quiet">{ago(of.last_seen_at)}</span>
    </Mark>
  );
}

function Skew({ of }: { of: Gateway }) {
  if (!of.clock_is_set) return <Mark of="warning">{t("system.clock_unset")}</Mark>;
  if (of.clock_skew_s === null) return <>–</>;
  const size = Math.abs(of.clock_skew_s);
  const text = size < 1 ? number(1000 * of.clock_skew_s, "ms", 2) : number(of.clock_skew_s, "s", 3);
  return size > SKEW_S ? <Mark of="warning">{text}</Mark> : <span>{text}</span>;
}

function Account({ isEven }: { isEven: boolean }) {
  return isEven ? <span>{t("system.adds_up")}</span> : <Mark of="warning">{t("system.does_not_add_up")}</Mark>;
}

function Detail({ of, close }: { of: Gateway; close: () => void }) {
  return (
    <Panel
      title={of.gateway_id}
      tools={
        <button type="button" class="button plain" onClick={close}>
          {t("common.close")}
        </button>
      }
    >
      <div class="grid">
        <Pairs
          of={[
            [t("common.state"), <StateOf key="s" of={of} />],
            [t("system.first_seen"), at(of.first_seen_at)],
            [t("system.last_seen"), `${at(of.last_seen_at, "full")} · ${ago(of.last_seen_at)}`],
            [t("system.version_word"), of.version],
          ]}
        />
        <Pairs
          of={[
            [t("system.skew"), <Skew key="k" of={of} />],
            [t("system.generation"), String(of.generation)],
            [t("system.epoch"), <code key="e">{of.epoch ?? "–"}</code>],
            [t("system.skipped"), number(of.skipped_polls)],
          ]}
        />
      </div>
      <h3>{t("system.epochs")}</h3>
      <p class="quiet">{t("system.account_says")}</p>
      <Epochs of={of} />
      <h3>{t("system.models")}</h3>
      <Table
        name="standing"
        rows={of.models}
        columns={modelColumns()}
        id={(one) => `${one.device} ${one.name}`}
        hasFilter={false}
        height="240px"
        empty={t("system.no_models")}
      />
    </Panel>
  );
}

function Epochs({ of }: { of: Gateway }) {
  type Epoch = Gateway["epochs"][number];
  const columns: Column<Epoch>[] = [
    { key: "epoch", title: t("system.epoch"), cell: (one) => <code>{one.epoch}</code> },
    { key: "even", title: t("system.account"), cell: (one) => <Account isEven={one.adds_up} /> },
    ...ACCOUNT.map(
      (key): Column<Epoch> => ({
        key,
        title: t(`system.${key}`),
        cell: (one) => number(one[key]),
        by: (one) => one[key],
        isNumber: true,
      }),
    ),
    { key: "told", title: t("system.told"), cell: (one) => (one.told ? ago(one.told.at) : "–") },
  ];
  return (
    <Table
      name="epochs"
      rows={of.epochs}
      columns={columns}
      id={(one) => one.epoch}
      hasFilter={false}
      height="240px"
      empty={t("system.no_epochs")}
    />
  );
}

function modelColumns(): Column<Gateway["models"][number]>[] {
  return [
    {
      key: "device",
      title: t("common.device"),
      cell: (one) => <Link to={`/devices/${encodeURIComponent(one.device)}`}>{one.device}</Link>,
      by: (one) => one.device,
    },
    { key: "name", title: t("system.model"), cell: (one) => `${one.name} ${one.version}`, by: (one) => one.name },
    {
      key: "standing",
      title: t("common.state"),
      cell: (one) => <Chip title={one.reason}>{word(one.standing)}</Chip>,
      by: (one) => one.standing,
    },
    {
      key: "us",
      title: t("system.invoke"),
      cell: (one) => number(one.invoke_us, "µs", 3),
      by: (one) => one.invoke_us ?? 0,
      isNumber: true,
    },
    {
      key: "rows",
      title: t("system.rows"),
      cell: (one) => number(one.rows),
      by: (one) => one.rows ?? 0,
      isNumber: true,
    },
    {
      key: "alarms",
      title: t("system.alarms"),
      cell: (one) => number(one.alarms),
      by: (one) => one.alarms ?? 0,
      isNumber: true,
    },
  ];
}
