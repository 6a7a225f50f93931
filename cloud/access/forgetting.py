"""Forgetting: sessions that are over, and failed attempts that count no more, are dropped from the records."""

from dataclasses import dataclass
from datetime import timedelta

from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.sessions import forget_sessions

_KEPT_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OldSessions:
    """One round an hour."""

    records: Records
    clock: Clock

    def look(self) -> None:
        """Drop what was over for a day; raise Unavailable."""
        with self.records.writing() as session:
            forget_sessions(session, before=to_datetime(self.clock.now_us()) - _KEPT_AFTER)
