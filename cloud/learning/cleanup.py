"""Cleanup: each night of the plant, old datasets that no model was made of are deleted, by the settings."""

from datetime import date, datetime, timedelta

from cloud.domain.audit import AuditEntry
from cloud.domain.dataset import Dataset
from cloud.domain.times import to_datetime
from cloud.ports import Clock, FileStore
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.datasets import delete_dataset, list_datasets
from cloud.records.jobs import datasets_of_jobs
from cloud.records.models import datasets_of_models
from cloud.records.settings import is_set, number_of, plant_zone

HOUR = 2
"""The hour of the plant's day from which on it is done; after a start later than that, at once."""
BY = "cleanup"


class Cleanup:
    """Looks often and does it once a day; doing it twice does no harm."""

    def __init__(self, records: Records, files: FileStore, clock: Clock) -> None:
        self._records = records
        self._files = files
        self._clock = clock
        self._done: date | None = None

    def look(self) -> None:
        """Delete what is due if it is night; raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            here = now.astimezone(plant_zone(session))
            is_wanted = is_set(session, "data.autoCleanup")
        if here.hour < HOUR or self._done == here.date():
            return
        if is_wanted:
            for dataset in self._delete(now):
                self._files.delete(dataset.file)
        self._done = here.date()

    def _delete(self, now: datetime) -> list[Dataset]:
        """Forget the datasets in one transaction with its audit; a job that was asked for just now keeps its own."""
        with self._records.writing() as session:
            days = number_of(session, "data.retentionDays")
            kept = datasets_of_models(session) | datasets_of_jobs(session)
            before = now - timedelta(days=days)
            due = [one for one in list_datasets(session) if one.created_at < before and one.id not in kept]
            for one in due:
                delete_dataset(session, one.id)
                details: dict[str, object] = {"name": one.name, "older_than_days": days}
                add_audit(session, AuditEntry(now, BY, "dataset.delete", one.id, details))
        return due
