"""AlarmFollower: turns what gateways tell into alarms; each event counts once, however often this process dies.

Alarms and the position behind them change in one transaction of the records.
"""

import logging
from collections.abc import Sequence

from sqlalchemy.orm import Session

from cloud.domain.alarm_words import EventRow, Step, steps_of
from cloud.operations.gateway_events import GatewayEvents, Unreadable
from cloud.operations.raising import NewId, apply_steps, draw_id
from cloud.records.database import Records
from cloud.records.followers import Progress, keep_progress, read_progress
from protocols.errors import InvalidContent

FOLLOWER = "gateway_event"
ACTOR = "gateway"
_AT_ONCE = 500
_log = logging.getLogger(__name__)


class AlarmFollower:
    """Reads the gateways' events by their rising numbers. One thread."""

    def __init__(self, records: Records, events: GatewayEvents, *, new_id: NewId = draw_id) -> None:
        self._records = records
        self._events = events
        self._new_id = new_id
        self._position: int | None = None
        self._named: set[str] = set()

    def follow(self) -> bool:
        """Take the next events; return whether there may be more. Raise Unavailable, Conflict: nothing is changed."""
        position = self._where()
        rows = self._events.after(position, limit=_AT_ONCE)
        if not rows:
            self._go_back(position)
            return False
        self._position = None
        with self._records.writing() as session:
            self._take(session, rows)
        self._position = rows[-1].id
        return len(rows) == _AT_ONCE

    def _where(self) -> int:
        if self._position is None:
            with self._records.reading() as session:
                self._position = read_progress(session, FOLLOWER).position
        return self._position

    def _take(self, session: Session, rows: Sequence[EventRow | Unreadable]) -> None:
        before = read_progress(session, FOLLOWER)
        new = [row for row in rows if row.id > before.position]
        read = [self._steps(row) for row in new]
        apply_steps(session, [step for steps in read for step in steps or ()], by=ACTOR, new_id=self._new_id)
        unreadable = before.unreadable + sum(steps is None for steps in read)
        keep_progress(session, FOLLOWER, Progress(max(before.position, rows[-1].id), unreadable))

    def _steps(self, row: EventRow | Unreadable) -> Sequence[Step] | None:
        if isinstance(row, Unreadable):
            self._report(row.gateway, row.name, row.problem)
            return None
        try:
            return steps_of(row)
        except InvalidContent as error:
            self._report(row.gateway, row.event.name, str(error))
            return None

    def _report(self, gateway: str, name: str, problem: str) -> None:
        if gateway in self._named:
            return
        self._named.add(gateway)
        facts = {"gateway": gateway, "event": name[:100], "problem": problem[:300]}
        _log.warning("an event cannot be read and is passed over; more of this gateway are only counted", extra=facts)

    def _go_back(self, position: int) -> None:
        """Begin behind the newest event of a readings' file that was restored from an older backup."""
        newest = self._events.newest()
        if newest >= position:
            return
        with self._records.writing() as session:
            before = read_progress(session, FOLLOWER)
            keep_progress(session, FOLLOWER, Progress(newest, before.unreadable))
        self._position = newest
        _log.warning("the readings are older than the alarms: following from here", extra={"position": newest})
