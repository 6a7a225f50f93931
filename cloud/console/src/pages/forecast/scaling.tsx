/** How many instances services have and want, what was decided about it and why, and how it came out. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { Bar } from "../../parts/bar";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, shorter, useForm } from "../../parts/form";
import { Chip, Mark } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Pairs, Panel, Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { who } from "../../parts/who";
import { Link } from "../../router";
import { newKey } from "../../stores/once";
import { type ScalingDecision, type ServiceStanding, scalingDecisions, services } from "../../stores/scaling";
import { may } from "../../stores/session";
import { toast } from "../../stores/toasts";
import { type TextKey, t, word } from "../../text";
import { ago, at, ms, now } from "../../time/zone";
import { serviceText } from "./service";

export function Scaling() {
  const manual = useSignal<ServiceStanding | null>(null);
  const opened = useSignal<ScalingDecision | null>(null);
  return (
    <>
      <Panel title={t("forecast.scaling")}>
        <Ready of={services} empty={t("common.none")}>
          <Table
            name="services"
            rows={services.list.value}
            columns={standing((one) => (manual.value = one))}
            id={(one) => one.service_name}
            hasFilter={false}
          />
        </Ready>
      </Panel>
      <Panel title={t("forecast.decisions")}>
        <Table
          name="scaled"
          rows={scalingDecisions.list.value}
          columns={decided()}
          id={(one) => one.id}
          sortedBy="-at"
          open={(one) => {
            opened.value = one;
          }}
          height="400px"
          empty={t("forecast.no_decisions")}
        />
      </Panel>
      {manual.value && <Manual of={manual.value} close={() => (manual.value = null)} />}
      {opened.value && <Decided of={opened.value} close={() => (opened.value = null)} />}
    </>
  );
}

function standing(scale: (one: ServiceStanding) => void): Column<ServiceStanding>[] {
  const columns: Column<ServiceStanding>[] = [
    { key: "service", title: t("forecast.service"), cell: (one) => serviceText(one.service_name) },
    {
      key: "instances",
      title: t("forecast.instances"),
      cell: (one) => (
        <span class="row nowrap">
          <span class="instances">
            {one.current_instances}
            {one.wanted_instances !== one.current_instances && ` → ${one.wanted_instances}`}
          </span>
          <span class="quiet">{t("forecast.of_range", { low: one.min_instances, high: one.max_instances })}</span>
        </span>
      ),
    },
    {
      key: "load",
      title: `${t("forecast.load")} (${t("forecast.per_s")})`,
      cell: (one) => number(one.messages_per_s, "", 3),
      isNumber: true,
    },
    {
      key: "used",
      title: t("forecast.used"),
      cell: (one) => <Used of={one} />,
    },
    {
      key: "state",
      title: t("common.state"),
      cell: (one) => (
        <span title={one.waits_for}>
          {one.status === "stable" ? t("forecast.stable") : word(one.status)}
          {one.held_until && ms(one.held_until) > now.value && (
            <span class="quiet"> · {t("forecast.held", { time: at(one.held_until, "time") })}</span>
          )}
          {one.waits_for && <span class="quiet"> · {one.waits_for}</span>}
        </span>
      ),
    },
    {
      key: "last",
      title: t("forecast.last_change"),
      cell: (one) => <LastChange of={one} />,
    },
  ];
  if (!may("admin")) return columns;
  return [
    ...columns,
    {
      key: "scale",
      title: t("common.actions"),
      cell: (one) => (
        <button type="button" class="button plain" onClick={() => scale(one)}>
          {t("forecast.manual")}
        </button>
      ),
    },
  ];
}

function LastChange({ of }: { of: ServiceStanding }) {
  const last = of.last_scaling_action as Record<string, unknown> | null;
  const when = last && Object.values(last).find((one) => typeof one === "string" && /^\d{4}-\d\d-\d\dT/.test(one));
  return <span class="quiet">{typeof when === "string" ? ago(when) : "–"}</span>;
}

/** Load against what the present instances can do; 70 % is what scaling aims at. */
function Used({ of }: { of: ServiceStanding }) {
  if (!of.capacity_per_instance) return <span class="quiet">{t("forecast.not_measured")}</span>;
  const share = of.messages_per_s / (of.capacity_per_instance * Math.max(1, of.current_instances));
  const tone = share > 1 ? "critical" : share > 0.85 ? "warning" : "normal";
  const label = t("forecast.used_title", {
    share: percent(share),
    capacity: number(of.capacity_per_instance, t("forecast.per_s"), 3),
  });
  return (
    <span class="row nowrap used" title={label}>
      <Bar
        value={share}
        range={{ low: 0, high: 1.2 }}
        normal={{ low: 0, high: 0.7 }}
        limits={[1]}
        tone={tone}
        label={label}
      />
      {percent(share)}
    </span>
  );
}

function decided(): Column<ScalingDecision>[] {
  return [
    { key: "at", title: t("common.time"), cell: (one) => at(one.created_at), by: (one) => one.created_at },
    {
      key: "service",
      title: t("forecast.service"),
      cell: (one) => serviceText(one.service_name),
      by: (one) => serviceText(one.service_name),
    },
    {
      key: "change",
      title: t("forecast.change"),
      cell: (one) => `${one.current_instances} → ${one.target_instances}`,
      by: (one) => one.target_instances - one.current_instances,
    },
    { key: "outcome", title: t("forecast.outcome"), cell: (one) => <Outcome of={one} />, by: (one) => one.status },
    {
      key: "trigger",
      title: t("forecast.trigger"),
      cell: (one) => triggerText(one),
      by: (one) => triggerText(one),
    },
    {
      key: "why",
      title: t("forecast.why"),
      cell: (one) => <span title={one.reasoning}>{one.reasoning}</span>,
      by: (one) => one.reasoning,
    },
  ];
}

function triggerText(one: ScalingDecision): string {
  const { trigger, requested_by } = one.triggered_by;
  return trigger === "manual" ? who(requested_by) : t(`forecast.trigger_${trigger}` as TextKey);
}

function Outcome({ of }: { of: ScalingDecision }) {
  const text = t(`forecast.status_${of.status}` as TextKey);
  if (of.status === "failed" || of.status === "rolled_back") return <Mark of="warning">{text}</Mark>;
  const verified = of.verification?.status;
  return (
    <span>
      {text}
      {verified && verified !== "pending" && (
        <span class="quiet"> · {t(`forecast.verified_${verified}` as TextKey)}</span>
      )}
    </span>
  );
}

function Decided({ of, close }: { of: ScalingDecision; close: () => void }) {
  const facts = of.triggered_by;
  const pairs: [string, preact.ComponentChildren][] = [
    [t("common.time"), at(of.created_at, "full")],
    [t("forecast.change"), `${of.current_instances} → ${of.target_instances}`],
    [t("forecast.outcome"), <Outcome key="o" of={of} />],
    [t("forecast.trigger"), triggerText(of)],
    [t("forecast.why"), of.reasoning],
    [t("forecast.foretold"), number(facts.prediction_value, t("forecast.per_s"))],
    [t("forecast.threshold"), number(facts.threshold, t("forecast.per_s"))],
    [t("forecast.confidence"), percent(of.confidence_score)],
  ];
  if (facts.business_events.length) pairs.push([t("forecast.planned"), facts.business_events.join(", ")]);
  if (of.executed_at) pairs.push([t("forecast.executed_at"), at(of.executed_at, "full")]);
  if (of.problem) pairs.push([t("forecast.problem"), of.problem]);
  if (of.approval_request_id) {
    const to = `/decisions?request=${encodeURIComponent(of.approval_request_id)}`;
    pairs.push([
      t("forecast.approval"),
      <Link key="l" to={to}>
        {of.approval_request_id}
      </Link>,
    ]);
  }
  return (
    <Dialog title={serviceText(of.service_name)} close={close}>
      <Chip>{t(`forecast.${of.decision_type}` as TextKey)}</Chip>
      <Pairs of={pairs} />
    </Dialog>
  );
}

function Manual({ of, close }: { of: ServiceStanding; close: () => void }) {
  const form = useForm(() => ({
    target_instances: [String(of.wanted_instances), needed, between(of.min_instances, of.max_instances)],
    reason: ["", needed, shorter(500)],
  }));
  const key = useMemo(newKey, []);
  const send = async () => {
    const isDone = await form.submit(() =>
      api.post("/api/v1/scaling/manual", {
        body: {
          service_name: of.service_name,
          target_instances: Number(form.value("target_instances")),
          reason: form.value("reason").trim(),
        },
        idempotencyKey: key,
      }),
    );
    if (!isDone) return;
    toast("good", t("forecast.manual_done"));
    void services.load();
    void scalingDecisions.load();
    close();
  };
  return (
    <Dialog
      title={t("forecast.manual_title", { service: serviceText(of.service_name) })}
      close={close}
      submit={() => void send()}
      submitText={t("forecast.manual")}
      isBusy={form.isBusy.value}
    >
      <Input
        field={form.fields.target_instances}
        label={t("forecast.instances")}
        hint={t("forecast.of_range", { low: of.min_instances, high: of.max_instances })}
        type="number"
        autoFocus
      />
      <Input field={form.fields.reason} label={t("common.reason")} rows={2} />
      <p class="quiet">{t("forecast.manual_hint")}</p>
      <FormIssue form={form} />
    </Dialog>
  );
}
