"""HealthScoreRow, PlantPointRow: the newest health score of each Device, and how the plant did by intervals."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, String, bindparam, delete, insert, select
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
    rows = [_row(score, memory) for score, memory in scores]
    if not rows:
        return
    # Whole rows at once: others wait for the lock meanwhile, and by objects a thousand take twice as long.
    table = HealthScoreRow.__table__
    old = delete(HealthScoreRow).where(table.c.source == bindparam("of_source"), table.c.device == bindparam("of"))
    connection = session.connection()
    connection.execute(old, [{"of_source": row["source"], "of": row["device"]} for row in rows])
    connection.execute(insert(HealthScoreRow), rows)


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


def _row(score: HealthScore, memory: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": score.source,
        "device": score.device,
        "computed_at": score.computed_at,
        "score": score.score,
        "parts": {part.value: value for part, value in score.parts.items()},
        "facts": dict(score.facts),
        "measured_at": score.measured_at,
        "is_stale": score.is_stale,
        "band": score.band.value,
        "status": score.status.value,
        "efficiency": score.efficiency,
        "energy_kwh": score.energy_kwh,
        "energy_cost": score.energy_cost,
        "told_score": score.told_score,
        "memory": dict(memory),
    }


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
