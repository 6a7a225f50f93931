"""Housekeeping: jobs that ended long ago are forgotten, and files that nothing refers to are deleted."""

from datetime import timedelta

from cloud.domain.times import to_datetime
from cloud.learning.datasets import ROWS, UPLOADS
from cloud.ports import Clock, FileStore
from cloud.records.database import Records
from cloud.records.datasets import kept_files
from cloud.records.jobs import forget_jobs


class Housekeeping:
    """One round an hour; a file must be found without an owner twice before it goes: it may be just coming to be."""

    def __init__(self, records: Records, files: FileStore, clock: Clock, *, keep_days: float) -> None:
        self._records = records
        self._files = files
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._suspects: set[str] = set()

    def look(self) -> None:
        """Do one round; raise Unavailable."""
        with self._records.writing() as session:
            forget_jobs(session, before=to_datetime(self._clock.now_us()) - self._keep)
        found = {*self._files.names(ROWS), *self._files.names(UPLOADS)}
        with self._records.reading() as session:
            ownerless = found - kept_files(session)
        for name in self._suspects & ownerless:
            self._files.delete(name)
        self._suspects = ownerless
