/** Alarms that are over, asked for by the time they were raised in. */
import { api } from "../../api/client";
import { Failed, Loading } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useAsked, useLast } from "../../parts/use";
import { query, setQuery } from "../../router";
import type { Alarm } from "../../stores/alarms";
import { t } from "../../text";

const SPANS = ["24h", "7d", "30d"] as const;
const HOURS: Record<string, number> = { "24h": 24, "7d": 168, "30d": 720 };
const MOST = 2_000;

interface PastProps {
  columns: readonly Column<Alarm>[];
  open: (alarm: Alarm) => void;
  opened: string;
}

export function Past({ columns, open, opened }: PastProps) {
  const span = query.value.get("span") ?? "24h";
  const hours = HOURS[span] ?? 24;
  const ask = () => {
    const from = new Date(Date.now() - hours * 3_600_000).toISOString();
    return api.get("/api/v1/alerts", { query: { state: "normal", from, limit: MOST } });
  };
  const asked = useAsked(ask, ["past", hours], 60);
  const told = useLast(asked.data);
  if (!told) return asked.error ? <Failed error={asked.error} retry={() => void asked.reload()} /> : <Loading />;
  const total = told.total ?? told.data.length;
  return (
    <Table
      name="past"
      rows={told.data as readonly Alarm[]}
      columns={columns}
      id={(one) => one.id}
      open={open}
      opened={opened}
      empty={t("alarms.none_past")}
      height="calc(100vh - 290px)"
      tools={
        <>
          <select
            aria-label={t("alarms.span")}
            value={span}
            onChange={(event) => setQuery({ span: event.currentTarget.value })}
          >
            {SPANS.map((one) => (
              <option key={one} value={one}>
                {t(`alarms.last_${one}`)}
              </option>
            ))}
          </select>
          {total > told.data.length && <span>{t("alarms.newest_of", { shown: told.data.length, n: total })}</span>}
        </>
      }
    />
  );
}
