/** The fan of what is foretold against what came, with planned events as marked periods. */

import { useMemo } from "preact/hooks";
import { type Answer, api } from "../../api/client";
import { TimeChart } from "../../chart/chart";
import { fan, type Period } from "../../chart/marks";
import { useOwnRange } from "../../chart/picker";
import { fixed } from "../../chart/range";
import { Trace } from "../../chart/trace";
import { Choice } from "../../parts/choices";
import { Chip } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Failed, Figure, Loading, Panel } from "../../parts/panel";
import { useAsked } from "../../parts/use";
import { query, setQuery } from "../../router";
import { events } from "../../stores/events";
import { type TextKey, t } from "../../text";
import { ago, at, length, ms, now } from "../../time/zone";
import { type Course as CourseData, courseOf, readAll } from "./series";

type Current = Answer<"/api/v1/predictions/current">["predictions"][number];
const HOUR_MS = 3_600_000;
const BACKS = { "3h": 3, "12h": 12, "24h": 24, "3d": 72, "7d": 168 } as const;
const PAGE = 1000;
const STEP_MS = 300_000;
const USUAL = [15, 60, 1440];

async function readCourse(service: string, from: number, to: number) {
  return readAll(async (end) => {
    const { data } = await api.get("/api/v1/predictions/history", {
      query: {
        service,
        start_time: new Date(from).toISOString(),
        end_time: end ?? new Date(to).toISOString(),
        limit: PAGE,
      },
    });
    return data;
  }, PAGE);
}

export function Course({ service, unit, current }: { service: string; unit: string; current: readonly Current[] }) {
  const horizons = [...new Set([...current.map((one) => one.horizon_minutes), ...(unit ? USUAL : [])])].sort(
    (a, b) => a - b,
  );
  const asked = Number(query.value.get("horizon"));
  const horizon = horizons.includes(asked) ? asked : (horizons[0] ?? 15);
  const back = (query.value.get("back") ?? "24h") as keyof typeof BACKS;
  const hours = BACKS[back] ?? 24;
  // In steps, so that the answer is asked for anew only now and then.
  const here = Math.floor(now.value / STEP_MS) * STEP_MS;
  const from = here - hours * HOUR_MS;
  const to = here + STEP_MS + Math.max(horizon * 60_000, (hours * HOUR_MS) / 8);
  const told = useAsked(() => readCourse(service, from, to), [service, from, to]);
  const course = useMemo(() => courseOf(told.data ?? [], horizon), [told.data, horizon]);
  return (
    <Panel
      title={t("forecast.course")}
      tools={
        <>
          <Choice
            isInline
            label={t("forecast.ahead")}
            value={String(horizon)}
            options={horizons.map((one) => [String(one), length(one * 60)])}
            choose={(value) => setQuery({ horizon: value })}
          />
          <Choice
            isInline
            label={t("forecast.back")}
            value={back}
            options={Object.keys(BACKS).map((one) => [one, t(`forecast.back_${one}` as TextKey)])}
            choose={(value) => setQuery({ back: value })}
          />
        </>
      }
    >
      <Now of={current.find((one) => one.horizon_minutes === horizon)} unit={unit} />
      {told.error && !told.data ? (
        <Failed error={told.error} retry={() => void told.reload()} />
      ) : !told.data ? (
        <div class="forecast-wait">
          <Loading />
        </div>
      ) : course.foretold.times.length + course.actual.times.length === 0 ? (
        <div class="empty">{t("forecast.none_yet")}</div>
      ) : (
        <Picture key={`${from} ${to} ${horizon}`} {...{ course, from, to, unit, horizon }} />
      )}
    </Panel>
  );
}

function Now({ of, unit }: { of: Current | undefined; unit: string }) {
  if (!of) return null;
  return (
    <div class="figures forecast-figures">
      <Figure
        label={t("forecast.expected", { time: at(of.timestamp, "time") })}
        value={number(of.prediction_p50, "", 3)}
        unit={unit}
      />
      <Figure
        label={t("forecast.eight_of_ten")}
        value={`${number(of.prediction_p10, "", 3)} – ${number(of.prediction_p90, "", 3)}`}
        unit={unit}
      />
      <Figure label={t("forecast.at_most")} value={number(of.prediction_p99, "", 3)} unit={unit} title="p99" />
      <Figure
        label={t("forecast.confidence")}
        value={percent(of.confidence_score)}
        title={t("forecast.confidence_title")}
      />
      <div class="figure">
        <div class="row">
          <Chip title={t("forecast.calibrated_title")}>
            {t(of.calibrated ? "forecast.calibrated" : "forecast.uncalibrated")}
          </Chip>
        </div>
        <div class="label clip" title={of.features_used.join(", ")}>
          {of.model_version.split("-")[0]?.replaceAll("_", " ")} · {ago(of.issued_at)}
        </div>
      </div>
    </div>
  );
}

function Picture(props: { course: CourseData; from: number; to: number; unit: string; horizon: number }) {
  const { course, unit } = props;
  const range = useOwnRange(fixed(props.from, props.to));
  const gapMs = Math.max(4 * HOUR_MS, props.horizon * 60_000 * 2);
  const { median, actual, bands } = useMemo(() => {
    const { times, p1, p10, p50, p90, p99 } = course.foretold;
    const quantiles = [
      { share: 0.01, values: p1 },
      { share: 0.1, values: p10 },
      { share: 0.9, values: p90 },
      { share: 0.99, values: p99 },
    ];
    return {
      median: new Trace({ times, values: p50, gapMs }),
      actual: new Trace({ ...course.actual, gapMs: 2 * HOUR_MS }),
      bands: fan(times, quantiles, unit),
    };
  }, [course, unit]);
  const periods = events.list.value.map(
    (one): Period => ({
      id: one.id,
      kind: "event",
      tone: "accent",
      label: `${one.name} × ${number(one.expected_impact_multiplier)}`,
      from: ms(one.start_time),
      to: ms(one.end_time),
    }),
  );
  return (
    <TimeChart
      label={t("forecast.course")}
      range={range}
      bands={bands}
      periods={periods}
      flags={[{ id: "now", at: Date.now(), tone: "muted", label: t("forecast.now") }]}
      group="forecast"
      height={300}
      lines={[
        { key: "actual", label: t("forecast.actual"), unit, trace: actual },
        { key: "p50", label: t("forecast.median"), unit, trace: median, isDashed: true },
      ]}
    />
  );
}
