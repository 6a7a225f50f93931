"""DrawRequest: a dataset out of stored readings, with operators' labels used or left out; the work of one job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.dataset import Dataset, Origin
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime, to_text
from cloud.errors import Invalid
from cloud.learning.algorithm import Progress
from cloud.learning.datasets import ROWS
from cloud.learning.drawing import Drawn, Wish, draw_rows
from cloud.learning.retrain_request import device_pair
from cloud.learning.sheet import Sheet, SheetColumn, categories, numbers, times
from cloud.ports import Clock, FileStore, ReadingStore
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.datasets import add_dataset
from cloud.records.jobs import Outcome
from cloud.records.labels import list_labels

TIME, DEVICE, FAULT = "time", "device", "fault"
NORMAL = "normal"
"""What the column of faults says where there was none."""


class DrawRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of these Devices (`source/device`) from start_us to end_us; no tags: all numbers; period_s 0: their own.

    labels: `exclude` leaves rows with a true fault out, `use` adds the column `fault`, `ignore` does neither.
    """

    name: str
    devices: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    start_us: int
    end_us: int
    tags: tuple[str, ...] = ()
    period_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    labels: Literal["exclude", "use", "ignore"] = "exclude"
    description: str = ""

    def parameters(self) -> dict[str, object]:
        """Return the request as a job carries it."""
        told: dict[str, object] = msgspec.to_builtins(self)
        return told


@dataclass(frozen=True, slots=True)
class Drawer:
    """What a drawing uses."""

    records: Records
    clock: Clock
    files: FileStore
    store: ReadingStore
    max_rows: int


def parse_draw_request(parameters: Mapping[str, object]) -> DrawRequest:
    """Return the request that a job carries; raise Invalid that names the field."""
    try:
        return msgspec.convert(parameters, DrawRequest)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), code="INVALID_PARAMETERS") from error


def draw_dataset(parts: Drawer, request: DrawRequest, *, job_id: str, by: str, progress: Progress) -> Outcome:
    """Return the dataset; its id is the job's. Raise NotFound, Invalid, Cancelled, Unavailable."""
    progress(0.0, "reading")
    devices = tuple(device_pair(one) for one in request.devices)
    wish = Wish(devices, request.start_us, request.end_us, request.tags, request.period_s, parts.max_rows)
    rows = draw_rows(parts.store, wish, lambda share: progress(0.8 * share, "reading"))
    labels = _labels(parts.records, wish)
    if request.labels == "exclude":
        rows = rows.take(~rows.within(labels, Verdict.TRUE_FAULT))
    if not len(rows):
        raise Invalid("rows: none is left", code="NO_ROWS", details={"field": "start"})
    progress(0.8, "keeping")
    sheet = _sheet(rows, labels if request.labels == "use" else None)
    dataset = Dataset(
        id=job_id,
        name=request.name,
        description=request.description,
        origin=Origin.READINGS,
        file_format="npz",
        n_rows=len(sheet),
        columns=sheet.facts(),
        target=FAULT if request.labels == "use" else "",
        file=parts.files.put(ROWS, sheet.pack()),
        sent_size=0,
        created_at=to_datetime(parts.clock.now_us()),
        created_by=by,
        lineage=_lineage(request, rows, labels),
    ).check()

    def keep(session: Session) -> None:
        add_dataset(session, dataset)
        add_audit(session, AuditEntry(dataset.created_at, by, "dataset.add", dataset.id, {"name": dataset.name}))

    return Outcome({"dataset": dataset.id, "rows": dataset.n_rows}, keep)


def _labels(records: Records, wish: Wish) -> list[Label]:
    with records.reading() as session:
        return [
            label
            for source, device in wish.devices
            for label in list_labels(session, source=source, device=device, from_us=wish.start_us, to_us=wish.end_us)
        ]


def _sheet(rows: Drawn, labels: list[Label] | None) -> Sheet:
    """Return the rows as a sheet: time, device where there are several, each Tag, and the fault where that is used."""
    columns = [times(TIME, rows.time_us)]
    if len(rows.devices) > 1:
        columns.append(categories(DEVICE, rows.device, ["/".join(one) for one in rows.devices]))
    columns += [numbers(tag, rows.values[:, index]) for index, tag in enumerate(rows.tags)]
    if labels is not None:
        columns.append(_faults(rows, labels))
    return Sheet(tuple(columns))


def _faults(rows: Drawn, labels: list[Label]) -> SheetColumn:
    faults = [one for one in labels if one.verdict is Verdict.TRUE_FAULT]
    levels = [NORMAL, *sorted({one.kind or FAULT for one in faults} - {NORMAL})]
    codes = np.zeros(len(rows), np.int32)
    for fault in faults:
        codes[rows.within([fault], Verdict.TRUE_FAULT)] = levels.index(fault.kind or FAULT)
    return categories(FAULT, codes, levels)


def _lineage(request: DrawRequest, rows: Drawn, labels: list[Label]) -> dict[str, object]:
    return {
        "devices": list(request.devices),
        "tags": list(rows.tags),
        "start": to_text(request.start_us),
        "end": to_text(request.end_us),
        "period_s": rows.period_s,
        "labels": request.labels,
        "labels_seen": len(labels),
    }
