"""HealthScoreRow, PlantPointRow: the newest health score of each Device, and how the plant did by intervals."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.health import Band, DeviceStatus, HealthScore, Part, Vitals
from cloud.records.base import Base, UtcDateTime
from cloud.records.device_facts import DeviceFactsRow

Whose = tuple[str, str]
"""Source and device."""


class HealthScoreRow(Base):
    """One Device; memory: what the next round goes on from, such as the anomaly burden and today's energy."""

    __tablename__ = "health_scores"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    score: Mapped[float | None] = mapped_column(Float)
    parts: Mapped[dict[str, float]] = mapped_column(JSON)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    measured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_stale: Mapped[bool]
    band: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    efficiency: Mapped[float | None] = mapped_column(Float)
    energy_kwh: Mapped[float | None] = mapped_column(Float)
    energy_cost: Mapped[float | None] = mapped_column(Float)
    told_score: Mapped[float | None] = mapped_column(Float)
    memory: Mapped[dict[str, Any]] = mapped_column(JSON)


class PlantPointRow(Base):
    """How the whole plant did in the interval that begins at `at`; energy_kwh: used in it, None: not measured."""

    __tablename__ = "plant_points"

    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    system_health: Mapped[int | None]
    efficiency: Mapped[int | None]
    energy_kwh: Mapped[float | None] = mapped_column(Float)


@dataclass(frozen=True, slots=True)
class PlantPoint:
    """How the whole plant did in one interval: health and efficiency in percent, energy in kWh."""

    at: datetime
    system_health: int | None
    efficiency: int | None
    energy_kwh: float | None


def newest_scores(session: Session, wanted: Collection[Whose] | None = None) -> Mapping[Whose, HealthScore]:
    """Return the newest score of every Device, or of those that are wanted."""
    query = select(HealthScoreRow)
    if wanted is not None:
        query = query.where(HealthScoreRow.device.in_({device for _, device in wanted}))
    rows = session.scalars(query)
    chosen = (row for row in rows if wanted is None or (row.source, row.device) in wanted)
    return {(row.source, row.device): _score(row) for row in chosen}


def read_vitals(session: Session) -> Mapping[Whose, Vitals]:
    """Return what lists show of every Device whose health was computed or of which something was told."""
    row, facts = HealthScoreRow, DeviceFactsRow
    columns = select(facts.source, facts.device, facts.rated_interval_s).where(facts.rated_interval_s.is_not(None))
    intervals = {(source, device): interval_s for source, device, interval_s in session.execute(columns)}
    found = {whose: Vitals(rated_interval_s=interval_s) for whose, interval_s in intervals.items()}
    figures = (row.score, row.efficiency, row.band, row.is_stale, row.energy_kwh, row.energy_cost)
    for source, device, score, efficiency, band, is_stale, *energy in session.execute(
        select(row.source, row.device, *figures)
    ):
        whose = (source, device)
        found[whose] = Vitals(score, efficiency, Band(band), is_stale, intervals.get(whose), *energy)
    return found


def read_memories(session: Session) -> Mapping[Whose, dict[str, Any]]:
    """Return what the last round left for the next one, by Device."""
    columns = select(HealthScoreRow.source, HealthScoreRow.device, HealthScoreRow.memory)
    return {(source, device): memory for source, device, memory in session.execute(columns)}


def put_scores(session: Session, scores: Iterable[tuple[HealthScore, Mapping[str, Any]]]) -> None:
    """Keep scores, each with its memory, in place of those before."""
    known = {(row.source, row.device): row for row in session.scalars(select(HealthScoreRow))}
    for score, memory in scores:
        row = known.get((score.source, score.device))
        if row is None:
            row = HealthScoreRow(source=score.source, device=score.device)
            session.add(row)
        _write(row, score)
        row.memory = dict(memory)


def add_point(session: Session, point: PlantPoint, *, forget_before: datetime) -> None:
    """Keep how the plant did in an interval, and drop old ones."""
    session.merge(
        PlantPointRow(
            at=point.at,
            system_health=point.system_health,
            efficiency=point.efficiency,
            energy_kwh=point.energy_kwh,
        )
    )
    session.execute(delete(PlantPointRow).where(PlantPointRow.at < forget_before))


def list_points(session: Session, *, since: datetime, before: datetime | None = None) -> Sequence[PlantPoint]:
    """Return how the plant did, interval by interval, the oldest first."""
    row = PlantPointRow
    query = select(row.at, row.system_health, row.efficiency, row.energy_kwh).where(row.at >= since).order_by(row.at)
    if before is not None:
        query = query.where(row.at < before)
    return [PlantPoint(*point) for point in session.execute(query)]


def _write(row: HealthScoreRow, score: HealthScore) -> None:
    row.computed_at, row.measured_at, row.is_stale = score.computed_at, score.measured_at, score.is_stale
    row.score, row.told_score = score.score, score.told_score
    row.parts = {part.value: value for part, value in score.parts.items()}
    row.facts = dict(score.facts)
    row.band, row.status = score.band.value, score.status.value
    row.efficiency, row.energy_kwh, row.energy_cost = score.efficiency, score.energy_kwh, score.energy_cost


def _score(row: HealthScoreRow) -> HealthScore:
    return HealthScore(
        source=row.source,
        device=row.device,
        computed_at=row.computed_at,
        score=row.score,
        parts={Part(name): value for name, value in row.parts.items()},
        facts=row.facts,
        measured_at=row.measured_at,
        is_stale=row.is_stale,
        band=Band(row.band),
        status=DeviceStatus(row.status),
        efficiency=row.efficiency,
        energy_kwh=row.energy_kwh,
        energy_cost=row.energy_cost,
        told_score=row.told_score,
    )
