"""RolloutRow, RolloutTargetRow: how models go out to gateways, and what became of each Device."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.rollout import Before, Rollout, RolloutState, Rules, Target, Verdict
from cloud.records.base import Base

_OPEN = tuple(state.value for state in RolloutState if state.is_open or state is RolloutState.ROLLING_BACK)


class RolloutRow(Base):
    """One rollout."""

    __tablename__ = "rollouts"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    model: Mapped[str] = mapped_column(String(100), index=True)
    version: Mapped[int]
    path: Mapped[str] = mapped_column(String(200))
    rules: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20), index=True)
    reason: Mapped[str] = mapped_column(String(1000))
    group: Mapped[int] = mapped_column("group_number")
    began_us: Mapped[int] = mapped_column(BigInteger)
    complete_us: Mapped[int] = mapped_column(BigInteger)
    nominal: Mapped[float] = mapped_column(Float)
    period_s: Mapped[float] = mapped_column(Float)
    champion_before: Mapped[int]
    created_us: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(200))
    ended_us: Mapped[int] = mapped_column(BigInteger)


class RolloutTargetRow(Base):
    """One Device of one rollout."""

    __tablename__ = "rollout_targets"
    __table_args__ = (Index("ix_rollout_targets_gateway", "gateway"),)

    rollout: Mapped[int] = mapped_column(ForeignKey("rollouts.number"), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    place: Mapped[int]
    group: Mapped[int] = mapped_column("group_number")
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(1000))
    told_us: Mapped[int] = mapped_column(BigInteger)
    back_us: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[dict[str, object]] = mapped_column(JSON)


def add_rollout(session: Session, rollout: Rollout, targets: Sequence[Target]) -> None:
    """Keep a new rollout with its targets, in this order."""
    row = RolloutRow(id=rollout.id, **_values(rollout))
    session.add(row)
    session.flush()
    session.add_all(
        RolloutTargetRow(rollout=row.number, gateway=one.gateway, device=one.device, place=place, **_target_values(one))
        for place, one in enumerate(targets)
    )
    session.flush()


def save_rollout(session: Session, rollout: Rollout) -> None:
    """Keep a rollout as it is now."""
    row = _row(session, rollout.id)
    for name, value in _values(rollout).items():
        setattr(row, name, value)


def save_targets(session: Session, rollout_id: str, targets: Iterable[Target]) -> None:
    """Keep these targets as they are now; others stay."""
    number = _row(session, rollout_id).number
    for target in targets:
        row = session.get(RolloutTargetRow, (number, target.gateway, target.device))
        for name, value in _target_values(target).items():
            setattr(row, name, value)


def find_rollout(session: Session, rollout_id: str) -> Rollout | None:
    """Return a rollout by its id."""
    row = session.scalar(select(RolloutRow).where(RolloutRow.id == rollout_id))
    return None if row is None else _rollout(row)


def list_rollouts(session: Session, *, limit: int = 100, offset: int = 0) -> tuple[list[Rollout], int]:
    """Return the newest rollouts first, and how many there are in all."""
    query = select(RolloutRow).order_by(RolloutRow.number.desc()).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(RolloutRow)) or 0
    return [_rollout(row) for row in session.scalars(query)], total


def unsettled_rollouts(session: Session) -> list[Rollout]:
    """Return those that may still go on, or are on their way back, the oldest first."""
    query = select(RolloutRow).where(RolloutRow.state.in_(_OPEN)).order_by(RolloutRow.number)
    return [_rollout(row) for row in session.scalars(query)]


def targets_of(session: Session, rollout_id: str) -> list[Target]:
    """Return all targets of a rollout in order of their groups."""
    number = _row(session, rollout_id).number
    query = select(RolloutTargetRow).where(RolloutTargetRow.rollout == number).order_by(RolloutTargetRow.place)
    return [_target(row) for row in session.scalars(query)]


def _row(session: Session, rollout_id: str) -> RolloutRow:
    return session.scalars(select(RolloutRow).where(RolloutRow.id == rollout_id)).one()


def _values(rollout: Rollout) -> dict[str, object]:
    return {
        "model": rollout.model,
        "version": rollout.version,
        "path": rollout.path,
        "rules": msgspec.to_builtins(rollout.rules),
        "state": rollout.state.value,
        "reason": rollout.reason[:1000],
        "group": rollout.group,
        "began_us": rollout.began_us,
        "complete_us": rollout.complete_us,
        "nominal": rollout.nominal,
        "period_s": rollout.period_s,
        "champion_before": rollout.champion_before,
        "created_us": rollout.created_us,
        "created_by": rollout.created_by,
        "ended_us": rollout.ended_us,
    }


def _target_values(target: Target) -> dict[str, object]:
    return {
        "group": target.group,
        "verdict": target.verdict.value,
        "reason": target.reason[:1000],
        "told_us": target.told_us,
        "back_us": target.back_us,
        "before": msgspec.to_builtins(target.before),
    }


def _rollout(row: RolloutRow) -> Rollout:
    return Rollout(
        id=row.id,
        model=row.model,
        version=row.version,
        path=row.path,
        rules=msgspec.convert(row.rules, Rules),
        state=RolloutState(row.state),
        reason=row.reason,
        group=row.group,
        began_us=row.began_us,
        complete_us=row.complete_us,
        nominal=row.nominal,
        period_s=row.period_s,
        champion_before=row.champion_before,
        created_us=row.created_us,
        created_by=row.created_by,
        ended_us=row.ended_us,
    )


def _target(row: RolloutTargetRow) -> Target:
    return Target(
        gateway=row.gateway,
        device=row.device,
        group=row.group,
        verdict=Verdict(row.verdict),
        reason=row.reason,
        told_us=row.told_us,
        back_us=row.back_us,
        before=msgspec.convert(row.before, Before),
    )
