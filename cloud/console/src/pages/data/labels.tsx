/** Labels: what people said of spans of a device's time; add, import, delete. */
import { useSignal } from "@preact/signals";
import { api } from "../../api/client";
import { Confirm } from "../../parts/confirm";
import { Mark } from "../../parts/marks";
import { Ready } from "../../parts/panel";
import { type Column, Table } from "../../parts/table";
import { useKept } from "../../parts/use";
import { who } from "../../parts/who";
import { Link, query, setQuery } from "../../router";
import { act } from "../../stores/act";
import { chosen, type Label, labels, VERDICTS } from "../../stores/labels";
import { link } from "../../stores/link";
import { may } from "../../stores/session";
import { type TextKey, t } from "../../text";
import { at, length, ms } from "../../time/zone";
import { ImportDialog, LabelDialog } from "./label-forms";

function columns(remove: ((label: Label) => void) | null): Column<Label>[] {
  const all: Column<Label>[] = [
    {
      key: "device",
      title: t("common.device"),
      cell: (one) => <Link to={`/devices/${encodeURIComponent(one.device_id)}`}>{one.device_id}</Link>,
      by: (one) => one.device_id,
    },
    {
      key: "verdict",
      title: t("data.verdict"),
      cell: (one) => (
        <Mark of={one.verdict === "true_fault" ? "warning" : "normal"} muted>
          {t(`data.verdict_${one.verdict}` as TextKey)}
        </Mark>
      ),
      by: (one) => t(`data.verdict_${one.verdict}` as TextKey),
    },
    { key: "kind", title: t("data.label_kind"), cell: (one) => one.kind || "–", by: (one) => one.kind },
    { key: "from", title: t("common.from"), cell: (one) => at(one.from, "full"), by: (one) => ms(one.from) },
    {
      key: "lasted",
      title: t("data.lasted"),
      isNumber: true,
      cell: (one) => length((ms(one.to) - ms(one.from)) / 1000),
      by: (one) => ms(one.to) - ms(one.from),
    },
    {
      key: "note",
      title: t("data.note"),
      cell: (one) => <span title={one.note}>{one.note || "–"}</span>,
      by: (one) => one.note,
    },
    { key: "by", title: t("data.said_by"), cell: (one) => who(one.by), by: (one) => who(one.by) },
    { key: "at", title: t("data.said_at"), cell: (one) => at(one.at), by: (one) => ms(one.at) },
  ];
  if (!remove) return all;
  const cell = (one: Label) => (
    <button
      type="button"
      class="button plain icon"
      title={t("data.label_delete")}
      aria-label={`${t("data.label_delete")}: ${one.device_id} ${at(one.from)}`}
      onClick={() => remove(one)}
    >
      ×
    </button>
  );
  return [...all, { key: "delete", title: "", cell }];
}

export function LabelsTab() {
  useKept(labels, 30);
  const asked = useSignal<"add" | "import" | null>(null);
  const removed = useSignal<Label | null>(null);
  const device = query.value.get("device") ?? "";
  const verdict = query.value.get("verdict") ?? "";
  const mayWrite = may("alarms:write");
  const close = () => {
    asked.value = null;
  };
  const actions = mayWrite && (
    <span class="row">
      <button
        type="button"
        class="button main-action"
        onClick={() => {
          asked.value = "add";
        }}
      >
        {t("data.labels_add")}
      </button>
      <button
        type="button"
        class="button"
        onClick={() => {
          asked.value = "import";
        }}
      >
        {t("data.labels_import")}
      </button>
    </span>
  );
  const empty = (
    <>
      <p>{t("data.labels_none")}</p>
      <p>{t("data.labels_next")}</p>
      {actions}
    </>
  );
  const remove = (label: Label) => {
    removed.value = label;
  };
  return (
    <>
      <Ready of={labels} empty={empty}>
        <Table
          name="labels"
          rows={chosen(labels.list.value, device, verdict)}
          columns={columns(mayWrite ? remove : null)}
          id={(one) => String(one.id)}
          tools={
            <>
              <Filters device={device} verdict={verdict} />
              {actions}
            </>
          }
        />
      </Ready>
      {asked.value === "add" && <LabelDialog close={close} device={device} />}
      {asked.value === "import" && <ImportDialog close={close} />}
      {removed.value && (
        <Remove
          label={removed.value}
          close={() => {
            removed.value = null;
          }}
        />
      )}
    </>
  );
}

function Filters({ device, verdict }: { device: string; verdict: string }) {
  const known = [...new Set(labels.list.value.map((one) => one.device_id))].sort();
  return (
    <>
      <select
        aria-label={t("common.device")}
        value={device}
        onChange={(event) => setQuery({ device: event.currentTarget.value })}
      >
        <option value="">{t("data.all_devices")}</option>
        {known.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <select
        aria-label={t("data.verdict")}
        value={verdict}
        onChange={(event) => setQuery({ verdict: event.currentTarget.value })}
      >
        <option value="">{t("data.all_verdicts")}</option>
        {VERDICTS.map((one) => (
          <option key={one} value={one}>
            {t(`data.verdict_${one}`)}
          </option>
        ))}
      </select>
    </>
  );
}

function Remove({ label, close }: { label: Label; close: () => void }) {
  const remove = () =>
    act(
      async () => {
        await api.delete("/api/v1/labels/{label_id}", { at: { label_id: label.id } });
        labels.remove(String(label.id), link.lastSeq);
      },
      {
        done: t("data.label_deleted"),
        wasDone: async () => {
          await labels.load();
          return labels.get(String(label.id)) === undefined;
        },
      },
    );
  return (
    <Confirm
      title={t("data.label_delete_title")}
      text={t("data.label_delete_text", {
        device: label.device_id,
        from: at(label.from, "full"),
        to: at(label.to, "full"),
      })}
      action={t("common.delete")}
      isDanger
      act={remove}
      close={close}
    />
  );
}
