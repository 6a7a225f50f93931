"""Keeping: drops old notices, except those that webhooks were not told of yet, and old deliveries."""

from datetime import timedelta

from cloud.bus.outbox import FOLLOWER
from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.deliveries import forget_deliveries
from cloud.records.followers import read_progress
from cloud.records.notices import forget_notices


class Keeping:
    """How long what was told is kept."""

    def __init__(self, records: Records, clock: Clock, *, keep_days: float, keep_hours: float) -> None:
        self._records = records
        self._clock = clock
        self._keep_days = keep_days
        self._keep_hours = keep_hours

    def tidy(self) -> None:
        """Drop what is old; raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            told = read_progress(session, FOLLOWER).position
            forget_notices(session, before=now - timedelta(hours=self._keep_hours), up_to=told)
            forget_deliveries(session, before=now - timedelta(days=self._keep_days))
