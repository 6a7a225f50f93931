/** Looks for anomalies in a dataset without being told how, and shows the worst rows with their reasons. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Dialog } from "../../parts/dialog";
import { between, FormIssue, Input, needed, useForm } from "../../parts/form";
import { Chip } from "../../parts/marks";
import { number, percent } from "../../parts/number";
import { Pairs } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { Link } from "../../router";
import type { Dataset } from "../../stores/datasets";
import { t, word } from "../../text";

interface Found {
  index: number;
  score: number;
  explanation: Record<string, number>;
}
interface Detected {
  job_id: string;
  algorithm?: string;
  reason?: string;
  anomaly_count?: number;
  profile?: { rows: number };
  anomalies?: readonly Found[];
}

export function CheckDialog({ dataset, close }: { dataset: Dataset; close: () => void }) {
  const found = useSignal<Detected | null>(null);
  const form = useForm(() => ({ contamination: ["1", needed, between(0.001, 50)] }));
  const look = async () => {
    const body = { dataset_id: dataset.id, contamination: Number(form.value("contamination")) / 100, most: 20 };
    found.value = (await api.post("/api/v1/autonomous/detect", { body })).data as unknown as Detected;
  };
  const result = found.value;
  return (
    <Dialog
      title={t("data.check_title", { name: dataset.name })}
      close={close}
      submit={result ? undefined : () => void form.submit(look)}
      submitText={t("data.check")}
      isBusy={form.isBusy.value}
      isWide={result !== null}
    >
      {result ? (
        <Result of={result} />
      ) : (
        <>
          <p>{t("data.check_text")}</p>
          <Input
            field={form.fields.contamination}
            label={t("data.expected")}
            hint={t("data.expected_hint")}
            type="number"
            autoFocus
          />
          <FormIssue form={form} />
          {form.isBusy.value && <p role="status">{t("data.checking")}</p>}
        </>
      )}
    </Dialog>
  );
}

function Result({ of }: { of: Detected }) {
  const job = (
    <Link class="button" to={`/jobs?job=${of.job_id}`}>
      {t("data.to_job")}
    </Link>
  );
  if (!of.anomalies) {
    return (
      <>
        <p>{t("data.goes_on")}</p>
        {job}
      </>
    );
  }
  return (
    <>
      <p>
        {t("data.checked", {
          strange: number(of.anomaly_count),
          n: number(of.profile?.rows),
          algorithm: word(of.algorithm ?? ""),
        })}
      </p>
      <Pairs of={[[t("data.chose_because"), of.reason ?? ""]]} />
      <Table name="strange" rows={of.anomalies} columns={columns()} id={(one) => String(one.index)} hasFilter={false} />
    </>
  );
}

function columns(): Column<Found>[] {
  return [
    { key: "row", title: t("data.row"), isNumber: true, cell: (one) => number(one.index + 1), by: (one) => one.index },
    { key: "score", title: t("data.score"), isNumber: true, cell: (one) => number(one.score, "", 3) },
    {
      key: "because",
      title: t("data.because"),
      cell: (one) => (
        <span class="drift-shares">
          {Object.entries(one.explanation)
            .sort(([, first], [, second]) => second - first)
            .slice(0, 3)
            .map(([name, share]) => (
              <Chip key={name}>
                {name} {percent(share)}
              </Chip>
            ))}
        </span>
      ),
    },
  ];
}
