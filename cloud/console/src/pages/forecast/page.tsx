/** What load is foretold and what came, how services are scaled, and which events are planned. */
import { useEffect } from "preact/hooks";
import { api } from "../../api/client";
import { PageHead, Tabs } from "../../parts/panel";
import { useAsked, useKept } from "../../parts/use";
import { query, setQuery } from "../../router";
import { events } from "../../stores/events";
import { followScaling, scalingDecisions, services } from "../../stores/scaling";
import { may } from "../../stores/session";
import { t } from "../../text";
import { Accuracy } from "./accuracy";
import { Course } from "./course";
import { Planned } from "./planned";
import { Scaling } from "./scaling";
import { SERVICES, serviceText } from "./service";
import "../../style/forecast.css";

export function ForecastPage(_: { at: Record<string, string> }) {
  useKept(events, 60);
  useKept(services, 15);
  useKept(scalingDecisions, 60);
  useEffect(followScaling, []);
  const current = useAsked(async () => (await api.get("/api/v1/predictions/current")).data.predictions, [], 60);
  const found = [...new Set((current.data ?? []).map((one) => one.service_name))].filter(
    (one) => !SERVICES.includes(one),
  );
  const names = [...SERVICES, ...found];
  const chosen = query.value.get("service") ?? "ingest";
  return (
    <>
      <PageHead title={t("forecast.title")} />
      {names.length <= 10 ? (
        <Tabs
          label={t("forecast.services")}
          tabs={names.map((one) => [one, serviceText(one)])}
          chosen={chosen}
          choose={(one) => setQuery({ service: one === "ingest" ? null : one })}
        />
      ) : (
        <select
          aria-label={t("forecast.services")}
          value={chosen}
          onChange={(event) => setQuery({ service: event.currentTarget.value })}
        >
          {names.map((one) => (
            <option key={one} value={one}>
              {serviceText(one)}
            </option>
          ))}
        </select>
      )}
      <Course
        service={chosen}
        unit={SERVICES.includes(chosen) ? t("forecast.per_s") : ""}
        current={(current.data ?? []).filter((one) => one.service_name === chosen)}
      />
      <div class="columns">
        <Planned />
        <Accuracy service={chosen} unit={SERVICES.includes(chosen) ? t("forecast.per_s") : ""} />
      </div>
      {may("system:read") && <Scaling />}
    </>
  );
}
