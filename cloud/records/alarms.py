"""AlarmRow, AlarmCommentRow: alarms as they are, and what people wrote beside them.

The whole Alarm is kept as JSON; what is asked for stands in columns beside it. That one condition has one live Alarm
is a rule of the table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, ColumnElement, Index, Select, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.alarm import Alarm, AlarmState, Condition, Severity
from cloud.records.base import Base, UtcDateTime
from cloud.records.pages import page_of

_LIVE = text("is_live")
_IN_SIGHT = (AlarmState.UNACK_ACTIVE.value, AlarmState.ACK_ACTIVE.value)


class AlarmRow(Base):
    """One alarm; back_us: when its shelf ends."""

    __tablename__ = "alarms"
    __table_args__ = (
        Index("ix_alarms_condition_number", "condition", "number"),
        Index("ix_alarms_source_device", "source", "device"),
        Index("uq_alarms_live_condition", "condition", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    condition: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(64))
    point: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    severity: Mapped[str] = mapped_column(String(20))
    is_active: Mapped[bool]
    is_live: Mapped[bool]
    is_acknowledged: Mapped[bool]
    raised_us: Mapped[int] = mapped_column(BigInteger, index=True)
    back_us: Mapped[int | None] = mapped_column(BigInteger, index=True)
    escalated_us: Mapped[int | None] = mapped_column(BigInteger)
    assigned_to: Mapped[str | None] = mapped_column(String(200))
    muted_by: Mapped[str | None] = mapped_column(String(36))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class AlarmCommentRow(Base):
    """What somebody wrote beside an alarm."""

    __tablename__ = "alarm_comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[str] = mapped_column(String(36), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(String(2000))


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote beside an alarm, and when."""

    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms are asked for; None and empty ask for all; device: of this source; from_us <= raised < to_us."""

    source: str | None = None
    device: str | None = None
    states: tuple[AlarmState, ...] = ()
    severities: tuple[Severity, ...] = ()
    is_acknowledged: bool | None = None
    is_resolved: bool | None = None
    assigned_to: str | None = None
    from_us: int | None = None
    to_us: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what the rows must fulfil."""
        resolved = None if self.is_resolved is None else not self.is_resolved
        equal = (
            (AlarmRow.source, self.source),
            (AlarmRow.device, self.device),
            (AlarmRow.is_acknowledged, self.is_acknowledged),
            (AlarmRow.is_active, resolved),
            (AlarmRow.assigned_to, self.assigned_to or None),
        )
        chosen: list[ColumnElement[bool]] = [column == wanted for column, wanted in equal if wanted is not None]
        if self.states:
            chosen.append(AlarmRow.state.in_([state.value for state in self.states]))
        if self.severities:
            chosen.append(AlarmRow.severity.in_([severity.value for severity in self.severities]))
        if self.from_us is not None:
            chosen.append(AlarmRow.raised_us >= self.from_us)
        if self.to_us is not None:
            chosen.append(AlarmRow.raised_us < self.to_us)
        return chosen


def list_alarms(session: Session, wanted: AlarmFilter, *, limit: int, offset: int = 0) -> tuple[list[Alarm], int]:
    """Return one page, the newest first, and how many there are in all."""
    column, newest_first = AlarmRow.content, AlarmRow.number.desc()
    contents, total = page_of(session, column, wanted.conditions(), newest_first, limit=limit, offset=offset)
    return [_alarm(content) for content in contents], total


def find_alarm(session: Session, alarm_id: str) -> Alarm | None:
    """Return one by its id."""
    row = session.scalar(select(AlarmRow).where(AlarmRow.id == alarm_id))
    return None if row is None else _alarm(row.content)


class KeptAlarms:
    """Alarms under change in one writing transaction: what was taken is locked, `put` keeps what became of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[str, AlarmRow] = {}

    def one(self, alarm_id: str) -> Alarm | None:
        """Return one by its id."""
        return next(iter(self._taken(select(AlarmRow).where(AlarmRow.id == alarm_id))), None)

    def many(self, alarm_ids: Collection[str]) -> list[Alarm]:
        """Return those of these ids that are there, in order of their numbers."""
        return self._taken(select(AlarmRow).where(AlarmRow.id.in_(alarm_ids)).order_by(AlarmRow.number))

    def newest(self, conditions: Collection[Condition]) -> Mapping[Condition, Alarm]:
        """Return the newest alarm of each of these conditions that ever had one."""
        digests = [condition.digest for condition in conditions]
        last = select(func.max(AlarmRow.number)).where(AlarmRow.condition.in_(digests)).group_by(AlarmRow.condition)
        return {alarm.condition: alarm for alarm in self._taken(select(AlarmRow).where(AlarmRow.number.in_(last)))}

    def active(self, *, kinds: Collection[str], source: str | None = None) -> list[Alarm]:
        """Return the active ones of these kinds, of one source or of all."""
        query = select(AlarmRow).where(AlarmRow.is_live, AlarmRow.is_active, AlarmRow.kind.in_(kinds))
        return self._taken(query if source is None else query.where(AlarmRow.source == source))

    def due(self, now_us: int) -> list[Alarm]:
        """Return those whose shelf came to its end."""
        return self._taken(select(AlarmRow).where(AlarmRow.back_us <= now_us))

    def unseen(self, *, before_us: int) -> list[Alarm]:
        """Return those that were raised before a time, that nobody saw since, and that were not escalated."""
        unseen = (AlarmRow.state == AlarmState.UNACK_ACTIVE.value, AlarmRow.escalated_us.is_(None))
        quiet = AlarmRow.muted_by.is_(None)
        return self._taken(select(AlarmRow).where(*unseen, quiet, AlarmRow.raised_us <= before_us))

    def audible(self) -> list[Alarm]:
        """Return the active ones in sight that no planned event keeps quiet."""
        return self._taken(select(AlarmRow).where(AlarmRow.state.in_(_IN_SIGHT), AlarmRow.muted_by.is_(None)))

    def muted(self) -> list[Alarm]:
        """Return those that a planned event keeps quiet."""
        return self._taken(select(AlarmRow).where(AlarmRow.muted_by.is_not(None)))

    def put(self, alarm: Alarm) -> None:
        """Keep an alarm that is new or was changed."""
        row = self._rows.get(alarm.id)
        if row is None:
            row = self._rows[alarm.id] = AlarmRow(id=alarm.id)
            self._session.add(row)
        _write(row, alarm)

    def _taken(self, query: Select[AlarmRow]) -> list[Alarm]:
        self._session.flush()
        rows = list(self._session.scalars(query.with_for_update()))
        self._rows |= {row.id: row for row in rows}
        return [_alarm(row.content) for row in rows]


def add_comment(session: Session, alarm_id: str, comment: Comment) -> None:
    """Keep what somebody wrote."""
    session.add(AlarmCommentRow(alarm_id=alarm_id, at=comment.at, by=comment.by, text=comment.text))


def list_comments(session: Session, alarm_id: str) -> list[Comment]:
    """Return what was written beside an alarm, the oldest first."""
    query = select(AlarmCommentRow).where(AlarmCommentRow.alarm_id == alarm_id).order_by(AlarmCommentRow.id)
    return [Comment(row.by, row.at, row.text) for row in session.scalars(query)]


def count_live(session: Session) -> Sequence[tuple[AlarmState, Severity, int]]:
    """Return how many alarms live, by state and severity."""
    query = select(AlarmRow.state, AlarmRow.severity, func.count()).where(AlarmRow.is_live)
    rows = session.execute(query.group_by(AlarmRow.state, AlarmRow.severity))
    return [(AlarmState(state), Severity(severity), count) for state, severity, count in rows]


def count_raised(session: Session, upto_us: int, *, width_us: int, spans: int) -> Mapping[int, int]:
    """Return how many were raised in each span of so many microseconds before a time; span 0 is the newest.

    What was raised later than that time is in spans below 0; nothing is said of more than so many spans ago.
    """
    back = ((upto_us - AlarmRow.raised_us) // width_us).label("back")
    # Grouped by its name: with the values in it, a server takes the two for different expressions.
    query = select(back, func.count()).where(AlarmRow.raised_us > upto_us - spans * width_us).group_by("back")
    return {int(span): count for span, count in session.execute(query)}


def devices_in_alarm(session: Session) -> Sequence[tuple[str, str, Severity]]:
    """Return source, device and severity of what is active, in sight and not muted, each once."""
    query = select(AlarmRow.source, AlarmRow.device, AlarmRow.severity).where(AlarmRow.state.in_(_IN_SIGHT))
    rows = session.execute(query.where(AlarmRow.device != "", AlarmRow.muted_by.is_(None)).distinct())
    return [(source, device, Severity(severity)) for source, device, severity in rows]


def _write(row: AlarmRow, alarm: Alarm) -> None:
    row.condition = alarm.condition.digest
    row.source, row.device, row.kind, row.point = alarm.condition
    row.state = alarm.state.value
    row.severity = alarm.finding.severity.value
    row.is_active = alarm.is_active
    row.is_live = alarm.is_live
    row.is_acknowledged = alarm.acknowledged is not None
    row.raised_us = alarm.raised_us
    row.back_us = None if alarm.shelf is None else alarm.shelf.until_us
    row.escalated_us = alarm.escalated_us
    row.assigned_to = alarm.assigned_to or None
    row.muted_by = alarm.muted_by or None
    row.content = msgspec.to_builtins(alarm)


def _alarm(content: dict[str, Any]) -> Alarm:
    return msgspec.convert(content, Alarm)
