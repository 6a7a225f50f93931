"""LabelRow: what operators said of spans of time; read by everything that learns."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_text
from cloud.errors import Conflict
from cloud.records.base import Base, UtcDateTime


class LabelRow(Base):
    """One label."""

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_source_device_from_us", "source", "device", "from_us"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    from_us: Mapped[int] = mapped_column(BigInteger)
    to_us: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(1000))
    alarm_id: Mapped[str | None] = mapped_column(String(36), index=True)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_labels(
    session: Session,
    *,
    source: str | None = None,
    device: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> list[Label]:
    """Return the labels in order of their beginning that speak of some of from_us <= time < to_us."""
    query = select(LabelRow).order_by(LabelRow.from_us, LabelRow.id)
    if source is not None:
        query = query.where(LabelRow.source == source)
    if device is not None:
        query = query.where(LabelRow.device == device)
    if from_us is not None:
        query = query.where(LabelRow.to_us > from_us)
    if to_us is not None:
        query = query.where(LabelRow.from_us < to_us)
    return [_label(row) for row in session.scalars(query)]


def add_label(session: Session, label: Label) -> Label:
    """Return the label as it is kept; one that is there already stays alone.

    Raises Invalid for one that cannot be, Conflict where another one says the opposite of the same time.
    """
    label.check()
    beside = list_labels(session, source=label.source, device=label.device, from_us=label.from_us, to_us=label.to_us)
    for other in beside:
        if label.contradicts(other):
            span = f"{to_text(other.from_us)} to {to_text(other.to_us)}"
            told = f"{label.verdict}: label {other.id} of {other.by} says {other.verdict} of {span}"
            raise Conflict(told, code="LABELS_OVERLAP", details={"label": other.id, "field": "verdict", "issue": told})
    same = next((other for other in beside if other.says_the_same(label)), None)
    return same or _add(session, label)


def delete_label(session: Session, number: int) -> bool:
    """Forget one label; return whether there was one."""
    row = session.get(LabelRow, number)
    if row is not None:
        session.delete(row)
        session.flush()
    return row is not None


def delete_alarm_label(session: Session, alarm_id: str) -> None:
    """Forget what was said of this alarm."""
    session.execute(delete(LabelRow).where(LabelRow.alarm_id == alarm_id))


def stretch_alarm_label(session: Session, alarm_id: str, to_us: int) -> None:
    """Let the label of an alarm last until then, since its condition did."""
    query = update(LabelRow).where(LabelRow.alarm_id == alarm_id, LabelRow.to_us < to_us)
    session.execute(query.values(to_us=to_us))


def _add(session: Session, label: Label) -> Label:
    row = LabelRow(
        source=label.source,
        device=label.device,
        from_us=label.from_us,
        to_us=label.to_us,
        verdict=label.verdict.value,
        kind=label.kind,
        note=label.note,
        alarm_id=label.alarm_id,
        by=label.by,
        at=label.at,
    )
    session.add(row)
    session.flush()
    return _label(row)


def _label(row: LabelRow) -> Label:
    return Label(
        id=row.id,
        source=row.source,
        device=row.device,
        from_us=row.from_us,
        to_us=row.to_us,
        verdict=Verdict(row.verdict),
        by=row.by,
        at=row.at,
        kind=row.kind,
        note=row.note,
        alarm_id=row.alarm_id,
    )
