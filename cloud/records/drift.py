"""DriftCheckRow, DriftBaselineRow: what drift checks found, and the training baselines they compare with.

Retraining asks `drifting`: the series whose newest scheduled check found drift by the corrected test for so many checks
in a row. Whoever trains a Model calls `set_baseline` with the raw values of each channel that it was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Float, LargeBinary, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.drift import Baseline, BaselineKind, Corrected, Documented, DriftCheck, Origin
from cloud.ports import SeriesKey
from cloud.records.base import Base, UtcDateTime

_MOST_VALUES = 20_000


class DriftCheckRow(Base):
    """One check of one series; ks_* are the documented verdict, corrected_* the one that bears autocorrelation.

    in_a_row: how many scheduled checks, this one included, found corrected drift one after another.
    """

    __tablename__ = "drift_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(64), index=True)
    tag: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(16))
    baseline: Mapped[str] = mapped_column(String(16))
    window_minutes: Mapped[int]
    p_value_threshold: Mapped[float] = mapped_column(Float)
    recent_count: Mapped[int]
    baseline_count: Mapped[int]
    notes: Mapped[str] = mapped_column(String(1000))
    ks_drift: Mapped[bool | None]
    ks_statistic: Mapped[float | None] = mapped_column(Float)
    ks_p_value: Mapped[float | None] = mapped_column(Float)
    psi: Mapped[float | None] = mapped_column(Float)
    corrected_drift: Mapped[bool | None]
    corrected_p_value: Mapped[float | None] = mapped_column(Float)
    location_p: Mapped[float | None] = mapped_column(Float)
    spread_p: Mapped[float | None] = mapped_column(Float)
    shape_p: Mapped[float | None] = mapped_column(Float)
    autocorrelation: Mapped[float | None] = mapped_column(Float)
    effective_recent: Mapped[float | None] = mapped_column(Float)
    effective_baseline: Mapped[float | None] = mapped_column(Float)
    channels: Mapped[int | None]
    in_a_row: Mapped[int]


class DriftBaselineRow(Base):
    """The raw values of one series on which a Model was trained: float64, little-endian, in order of time."""

    __tablename__ = "drift_baselines"
    __table_args__ = (UniqueConstraint("source", "device", "tag"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(64))
    tag: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    start_us: Mapped[int] = mapped_column(BigInteger)
    end_us: Mapped[int] = mapped_column(BigInteger)
    values: Mapped[bytes] = mapped_column(LargeBinary)


def add_check(session: Session, check: DriftCheck) -> int:
    """Keep a check and return its number."""
    documented, corrected = check.documented, check.corrected
    row = DriftCheckRow(
        at=check.at,
        source=check.series.source,
        device=check.series.device,
        tag=check.series.tag,
        origin=check.origin.value,
        baseline=check.baseline.value,
        window_minutes=check.window_minutes,
        p_value_threshold=check.p_value_threshold,
        recent_count=check.recent_count,
        baseline_count=check.baseline_count,
        notes=check.notes[:1000],
        psi=check.psi,
        in_a_row=check.in_a_row,
    )
    if documented is not None:
        row.ks_drift, row.ks_statistic, row.ks_p_value = documented.is_drift, documented.statistic, documented.p_value
    if corrected is not None:
        _set_corrected(row, corrected)
    session.add(row)
    session.flush()
    return row.id


def list_checks(session: Session, *, series: SeriesKey | None = None, limit: int = 100) -> list[DriftCheck]:
    """Return the newest checks first, of one series or of all."""
    query = select(DriftCheckRow).order_by(DriftCheckRow.id.desc()).limit(limit)
    if series is not None:
        query = query.where(*_of(DriftCheckRow, series))
    return [_check(row) for row in session.scalars(query)]


def last_scheduled(session: Session, series: SeriesKey) -> DriftCheck | None:
    """Return the newest check of a series that the schedule made."""
    query = select(DriftCheckRow).where(*_of(DriftCheckRow, series), DriftCheckRow.origin == Origin.SCHEDULE.value)
    row = session.scalar(query.order_by(DriftCheckRow.id.desc()).limit(1))
    return None if row is None else _check(row)


def drifting(session: Session, *, at_least: int = 3) -> list[SeriesKey]:
    """Return the series whose newest scheduled check found corrected drift for the `at_least`-th time in a row."""
    newest = (
        select(func.max(DriftCheckRow.id))
        .where(DriftCheckRow.origin == Origin.SCHEDULE.value)
        .group_by(DriftCheckRow.source, DriftCheckRow.device, DriftCheckRow.tag)
    )
    query = select(DriftCheckRow).where(DriftCheckRow.id.in_(newest), DriftCheckRow.in_a_row >= at_least)
    return [SeriesKey(row.source, row.device, row.tag) for row in session.scalars(query.order_by(DriftCheckRow.id))]


@dataclass(frozen=True, slots=True)
class DriftStanding:
    """The newest scheduled check of a series that came to a verdict: its number, when, and how often in a row."""

    series: SeriesKey
    check: int
    at: datetime
    in_a_row: int
    ks_drift: bool


def drift_standings(session: Session, *, since: datetime) -> Sequence[DriftStanding]:
    """Return how each series stands that was checked on schedule since then, with enough readings for a verdict."""
    row = DriftCheckRow
    is_verdict = (row.at >= since, row.origin == Origin.SCHEDULE.value, row.corrected_drift.is_not(None))
    newest = select(func.max(row.id)).where(*is_verdict).group_by(row.source, row.device, row.tag)
    columns = (row.source, row.device, row.tag, row.id, row.at, row.in_a_row, row.ks_drift)
    return [
        DriftStanding(SeriesKey(source, device, tag), number, at, in_a_row, bool(ks_drift))
        for source, device, tag, number, at, in_a_row, ks_drift in session.execute(
            select(*columns).where(row.id.in_(newest)).order_by(row.id)
        )
    ]


def forget_baselines(session: Session, source: str, device: str) -> None:
    """Drop the training baselines of a Device: it is not any more what they were drawn from."""
    row = DriftBaselineRow
    session.execute(delete(row).where(row.source == source, row.device == device))


def forget_checks(session: Session, *, before: datetime) -> None:
    """Drop checks older than that."""
    session.execute(delete(DriftCheckRow).where(DriftCheckRow.at < before))


def set_baseline(session: Session, baseline: Baseline) -> None:
    """Keep the values that a Model was trained on, in place of earlier ones; the newest 20,000 of them."""
    row = session.scalar(select(DriftBaselineRow).where(*_of(DriftBaselineRow, baseline.series)))
    if row is None:
        source, device, tag = baseline.series
        row = DriftBaselineRow(source=source, device=device, tag=tag)
        session.add(row)
    row.model, row.set_at = baseline.model, baseline.set_at
    row.start_us, row.end_us = baseline.start_us, baseline.end_us
    row.values = baseline.values[-_MOST_VALUES:].astype("<f8").tobytes()


def find_baseline(session: Session, series: SeriesKey) -> Baseline | None:
    """Return the values that a series' Model was trained on."""
    row = session.scalar(select(DriftBaselineRow).where(*_of(DriftBaselineRow, series)))
    if row is None:
        return None
    values = np.frombuffer(row.values, "<f8").astype(np.float64)
    return Baseline(series, values, row.start_us, row.end_us, row.set_at, row.model)


def baseline_keys(session: Session) -> Sequence[SeriesKey]:
    """Return the series that have a training baseline."""
    columns = (DriftBaselineRow.source, DriftBaselineRow.device, DriftBaselineRow.tag)
    return [SeriesKey(*found) for found in session.execute(select(*columns).order_by(DriftBaselineRow.id))]


def _of(row: type[DriftCheckRow] | type[DriftBaselineRow], key: SeriesKey) -> tuple[ColumnElement[bool], ...]:
    return row.source == key.source, row.device == key.device, row.tag == key.tag


def _set_corrected(row: DriftCheckRow, found: Corrected) -> None:
    row.corrected_drift, row.corrected_p_value = found.is_drift, found.p_value
    row.location_p, row.spread_p, row.shape_p = found.location_p, found.spread_p, found.shape_p
    row.autocorrelation, row.channels = found.autocorrelation, found.channels
    row.effective_recent, row.effective_baseline = found.effective_recent, found.effective_baseline


def _check(row: DriftCheckRow) -> DriftCheck:
    return DriftCheck(
        at=row.at,
        series=SeriesKey(row.source, row.device, row.tag),
        origin=Origin(row.origin),
        baseline=BaselineKind(row.baseline),
        window_minutes=row.window_minutes,
        p_value_threshold=row.p_value_threshold,
        recent_count=row.recent_count,
        baseline_count=row.baseline_count,
        notes=row.notes,
        documented=_documented(row),
        corrected=_corrected(row),
        psi=row.psi,
        in_a_row=row.in_a_row,
        id=row.id,
    )


def _documented(row: DriftCheckRow) -> Documented | None:
    if row.ks_drift is None or row.ks_statistic is None or row.ks_p_value is None:
        return None
    return Documented(row.ks_drift, row.ks_statistic, row.ks_p_value)


def _corrected(row: DriftCheckRow) -> Corrected | None:
    if row.corrected_drift is None:
        return None
    return Corrected(
        is_drift=row.corrected_drift,
        p_value=row.corrected_p_value or 0.0,
        location_p=row.location_p or 0.0,
        spread_p=row.spread_p or 0.0,
        shape_p=row.shape_p or 0.0,
        autocorrelation=row.autocorrelation or 0.0,
        effective_recent=row.effective_recent or 0.0,
        effective_baseline=row.effective_baseline or 0.0,
        channels=row.channels or 1,
    )
