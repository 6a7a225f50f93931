"""ForecastRow: every Forecast that was given out, and what then came; accuracy is told from these rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, ColumnElement, Float, Index, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.forecast import Forecast
from cloud.domain.load import SOURCE
from cloud.ports import SeriesKey
from cloud.records.base import Base, UtcDateTime


class ForecastRow(Base):
    """One Forecast of one series for one horizon; quantiles and raw are lists in the order of LEVELS.

    matured_at: when the actual value was joined, or given up where no reading came; empty before.
    """

    __tablename__ = "forecasts"
    __table_args__ = (Index(None, "source", "device", "tag", "horizon_minutes", "target_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(64))
    tag: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    target_at: Mapped[datetime] = mapped_column(UtcDateTime)
    horizon_minutes: Mapped[int]
    quantiles: Mapped[list[float]] = mapped_column(JSON)
    raw: Mapped[list[float]] = mapped_column(JSON)
    scale: Mapped[float] = mapped_column(Float)
    method: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(64))
    is_calibrated: Mapped[bool]
    features: Mapped[list[str]] = mapped_column(JSON)
    multiplier: Mapped[float | None] = mapped_column(Float)
    confidence: Mapped[float | None] = mapped_column(Float)
    actual: Mapped[float | None] = mapped_column(Float)
    matured_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


def add_forecasts(session: Session, forecasts: Sequence[Forecast]) -> None:
    """Keep new ones."""
    session.add_all(_row(one) for one in forecasts)


def due_forecasts(session: Session, *, now: datetime, of_services: bool = False, limit: int = 5000) -> list[Forecast]:
    """Return those whose time has come and whose actual value is not joined yet, the oldest first."""
    whose = ForecastRow.source == SOURCE if of_services else ForecastRow.source != SOURCE
    query = select(ForecastRow).where(ForecastRow.matured_at.is_(None), ForecastRow.target_at <= now, whose)
    return [_forecast(row) for row in session.scalars(query.order_by(ForecastRow.target_at).limit(limit))]


def mature(session: Session, actuals: Sequence[tuple[int, float | None]], *, at: datetime) -> None:
    """Join what came: numbers of forecasts and actual values, None where no reading ever will."""
    found = dict(actuals)
    for row in session.scalars(select(ForecastRow).where(ForecastRow.id.in_(list(found)))):
        row.actual, row.matured_at = found[row.id], at


def matured_forecasts(
    session: Session, series: SeriesKey, *, horizon_minutes: int, limit: int, until: datetime | None = None
) -> list[Forecast]:
    """Return the newest forecasts of a horizon that have an actual value, in order of their target's time."""
    query = select(ForecastRow).where(
        *_of(series), ForecastRow.horizon_minutes == horizon_minutes, ForecastRow.actual.is_not(None)
    )
    if until is not None:
        query = query.where(ForecastRow.target_at <= until)
    rows = session.scalars(query.order_by(ForecastRow.target_at.desc()).limit(limit))
    return [_forecast(row) for row in rows][::-1]


def newest_forecasts(session: Session, *, series: SeriesKey | None = None) -> list[Forecast]:
    """Return the newest Forecast of each horizon, of one series or of all."""
    same = (ForecastRow.source, ForecastRow.device, ForecastRow.tag, ForecastRow.horizon_minutes)
    newest = select(func.max(ForecastRow.id)).group_by(*same)
    query = select(ForecastRow).where(ForecastRow.id.in_(newest))
    if series is not None:
        query = query.where(*_of(series))
    return [_forecast(row) for row in session.scalars(query.order_by(*same))]


def list_forecasts(
    session: Session,
    *,
    series: SeriesKey | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> tuple[list[Forecast], int]:
    """Return the newest first whose target lies in since <= time < until, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = [] if series is None else list(_of(series))
    if since is not None:
        wanted.append(ForecastRow.target_at >= since)
    if until is not None:
        wanted.append(ForecastRow.target_at < until)
    query = select(ForecastRow).where(*wanted).order_by(ForecastRow.target_at.desc(), ForecastRow.id.desc())
    total = session.scalar(select(func.count()).select_from(ForecastRow).where(*wanted)) or 0
    return [_forecast(row) for row in session.scalars(query.limit(limit))], total


def forget_forecasts(session: Session, *, before: datetime) -> None:
    """Drop those whose time was before that."""
    session.execute(delete(ForecastRow).where(ForecastRow.target_at < before))


def _of(key: SeriesKey) -> tuple[ColumnElement[bool], ...]:
    return ForecastRow.source == key.source, ForecastRow.device == key.device, ForecastRow.tag == key.tag


def _row(one: Forecast) -> ForecastRow:
    return ForecastRow(
        source=one.series.source,
        device=one.series.device,
        tag=one.series.tag,
        issued_at=one.issued_at,
        target_at=one.target_at,
        horizon_minutes=one.horizon_minutes,
        quantiles=list(one.quantiles),
        raw=list(one.raw),
        scale=one.scale,
        method=one.method,
        model_version=one.model_version,
        is_calibrated=one.is_calibrated,
        features=list(one.features),
        confidence=one.confidence,
        actual=one.actual,
        multiplier=one.multiplier,
    )


def _forecast(row: ForecastRow) -> Forecast:
    return Forecast(
        series=SeriesKey(row.source, row.device, row.tag),
        issued_at=row.issued_at,
        target_at=row.target_at,
        horizon_minutes=row.horizon_minutes,
        quantiles=tuple(row.quantiles),
        raw=tuple(row.raw),
        scale=row.scale,
        method=row.method,
        model_version=row.model_version,
        is_calibrated=row.is_calibrated,
        features=tuple(row.features),
        confidence=row.confidence,
        actual=row.actual,
        id=row.id,
        multiplier=1.0 if row.multiplier is None else row.multiplier,
    )
