"""ScalingDecisionRow, ScaledServiceRow, ScalingCountRow: what was decided, what is wanted, what is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Float, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.load import Service
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.scaling import Change, Count, ScalingDecision, Status, Trigger, Verification
from cloud.records.base import Base, UtcDateTime
from cloud.records.notices import add_notice

_NOTICES = {
    Status.PENDING: NoticeKind.SCALING_PENDING,
    Status.EXECUTED: NoticeKind.SCALING_EXECUTED,
    Status.FAILED: NoticeKind.SCALING_FAILED,
    Status.ROLLED_BACK: NoticeKind.SCALING_ROLLED_BACK,
}
_WORDS = {Status.EXECUTED: "success"}


class ScaledServiceRow(Base):
    """One service that was ever scaled."""

    __tablename__ = "scaled_services"

    service: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[int]
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    small_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScalingDecisionRow(Base):
    """One decision."""

    __tablename__ = "scaling_decisions"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    service: Mapped[str] = mapped_column(String(16))
    current: Mapped[int]
    target: Mapped[int]
    status: Mapped[str] = mapped_column(String(16), index=True)
    trigger: Mapped[str] = mapped_column(String(16))
    reasoning: Mapped[str] = mapped_column(String(1000))
    prediction: Mapped[float | None] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    confidence: Mapped[float | None] = mapped_column(Float)
    events: Mapped[list[str]] = mapped_column(JSON)
    requested_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    executed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verification: Mapped[str | None] = mapped_column(String(16))
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    request_id: Mapped[str | None] = mapped_column(String(200))
    problem: Mapped[str] = mapped_column(String(500))


class ScalingCountRow(Base):
    """One counter that outlives the process that counts."""

    __tablename__ = "scaling_counts"

    family: Mapped[str] = mapped_column(String(40), primary_key=True)
    service: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float] = mapped_column(Float)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many instances a service shall have, since when, and until when a person's word holds."""

    service: Service
    instances: int
    changed_at: datetime | None = None
    held_until: datetime | None = None
    small_since: datetime | None = None


def wanted_instances(session: Session) -> dict[Service, Wanted]:
    """Return what is wanted of each service that was ever scaled."""
    rows = session.scalars(select(ScaledServiceRow))
    return {
        Service(row.service): Wanted(Service(row.service), row.wanted, row.changed_at, row.held_until, row.small_since)
        for row in rows
    }


def keep_wanted(session: Session, wanted: Wanted) -> None:
    """Want this from now on."""
    session.merge(
        ScaledServiceRow(
            service=wanted.service.value,
            wanted=wanted.instances,
            changed_at=wanted.changed_at,
            held_until=wanted.held_until,
            small_since=wanted.small_since,
        )
    )


def add_decision(session: Session, decision: ScalingDecision) -> None:
    """Keep a new decision; feeds and webhooks are told."""
    row = ScalingDecisionRow(id=decision.id)
    _take_over(row, decision)
    session.add(row)
    session.flush()
    _tell(session, decision, decision.created_at)


def keep_decision(session: Session, decision: ScalingDecision, at: datetime) -> None:
    """Keep what became of a decision; feeds and webhooks are told where its status changed."""
    row = session.scalars(select(ScalingDecisionRow).where(ScalingDecisionRow.id == decision.id)).one()
    is_news = row.status != decision.status.value
    _take_over(row, decision)
    session.flush()
    if is_news:
        _tell(session, decision, at)


def open_decisions(session: Session) -> Sequence[ScalingDecision]:
    """Return those that wait to be carried out or to be verified, the oldest first."""
    row = ScalingDecisionRow
    is_open = (row.status == Status.PENDING.value) | (row.verification == Verification.PENDING.value)
    return [_decision(one) for one in session.scalars(select(row).where(is_open).order_by(row.number))]


def list_scaling(
    session: Session, *, service: Service | None = None, status: Status | None = None, limit: int, offset: int = 0
) -> tuple[Sequence[ScalingDecision], int]:
    """Return the newest decisions first, and how many there are in all."""
    row = ScalingDecisionRow
    wanted = [] if service is None else [row.service == service.value]
    wanted += [] if status is None else [row.status == status.value]
    total = session.scalar(select(func.count()).select_from(row).where(*wanted)) or 0
    query = select(row).where(*wanted).order_by(row.number.desc()).limit(limit).offset(offset)
    return [_decision(one) for one in session.scalars(query)], total


def last_actions(session: Session) -> dict[Service, ScalingDecision]:
    """Return the newest decision of each service that was carried out."""
    row = ScalingDecisionRow
    done = (Status.EXECUTED.value, Status.ROLLED_BACK.value)
    newest = select(func.max(row.number)).where(row.status.in_(done)).group_by(row.service)
    return {Service(one.service): _decision(one) for one in session.scalars(select(row).where(row.number.in_(newest)))}


def count_up(session: Session, counts: Sequence[Count]) -> None:
    """Add to counters."""
    for one in counts:
        row = session.get(ScalingCountRow, (one.family, one.service, one.label))
        if row is None:
            session.add(ScalingCountRow(family=one.family, service=one.service, label=one.label, value=one.value))
            session.flush()
        else:
            row.value += one.value


def scaling_counts(session: Session) -> Sequence[Count]:
    """Return every counter, and how many decisions there were by service and type."""
    rows = session.scalars(
        select(ScalingCountRow).order_by(ScalingCountRow.family, ScalingCountRow.service, ScalingCountRow.label)
    )
    return [Count(row.family, row.service, row.label, row.value) for row in rows]


def _tell(session: Session, decision: ScalingDecision, at: datetime) -> None:
    change = decision.change
    goes_back = decision.status is Status.ROLLED_BACK
    data = {
        "decision_id": decision.id,
        "service_name": change.service.value,
        "from_instances": change.target if goes_back else change.current,
        "to_instances": change.current if goes_back else change.target,
        "status": _WORDS.get(decision.status, decision.status.value),
        "reason": decision.problem or change.reasoning,
    }
    add_notice(session, NewNotice(_NOTICES[decision.status], at, decision.id, data))


def _take_over(row: ScalingDecisionRow, decision: ScalingDecision) -> None:
    change = decision.change
    row.service, row.current, row.target = change.service.value, change.current, change.target
    row.status, row.trigger, row.reasoning = decision.status.value, change.trigger.value, change.reasoning
    row.prediction, row.threshold, row.confidence = change.prediction, change.threshold, change.confidence
    row.events, row.requested_by, row.created_at = list(change.events), decision.requested_by, decision.created_at
    row.executed_at, row.verified_at = decision.executed_at, decision.verified_at
    row.verification = None if decision.verification is None else decision.verification.value
    row.request_id, row.problem = decision.request_id, decision.problem


def _decision(row: ScalingDecisionRow) -> ScalingDecision:
    return ScalingDecision(
        id=row.id,
        change=Change(
            service=Service(row.service),
            current=row.current,
            target=row.target,
            trigger=Trigger(row.trigger),
            reasoning=row.reasoning,
            prediction=row.prediction,
            threshold=row.threshold,
            confidence=row.confidence,
            events=tuple(row.events),
        ),
        requested_by=row.requested_by,
        created_at=row.created_at,
        status=Status(row.status),
        executed_at=row.executed_at,
        verification=None if row.verification is None else Verification(row.verification),
        verified_at=row.verified_at,
        request_id=row.request_id,
        problem=row.problem,
    )
