"""KeyUses: writes down when keys were last used, to the minute, and who goes on with one that was rotated."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from cloud.domain.api_key import ApiKey
from cloud.domain.audit import AuditEntry
from cloud.errors import Unavailable
from cloud.records.api_keys import mark_used
from cloud.records.audit import add_audit
from cloud.records.database import Records

_NOTED_EVERY = timedelta(minutes=1)
_OLD_NOTED_EVERY = timedelta(hours=1)
"""Of a key that was rotated: each of these uses is in the audit, until somebody has changed the client."""


class KeyUses:
    """Gathers uses that are to be written, and writes them in one transaction; safe to use from several threads."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = Lock()
        self._due: dict[str, ApiKey] = {}

    def note(self, keys: Iterable[ApiKey], now: datetime) -> None:
        """Gather those of these keys, as the records have them, whose last noted use is long ago; never waits."""
        due = {key.prefix: key for key in keys if _is_due(key, now)}
        with self._lock:
            self._due |= due

    def write(self, now: datetime) -> None:
        """Write down what was gathered."""
        if not self._due:
            return
        with self._lock:
            due, self._due = self._due, {}
        # A full disk must not refuse those who only read.
        with suppress(Unavailable), self._records.writing(is_change=False) as session:
            mark_used(session, due, now)
            for key in (one for one in due.values() if one.rotated_at is not None):
                details: dict[str, object] = {"name": key.name}
                add_audit(session, AuditEntry(now, key.principal.name, "key.use_of_old", key.prefix, details))


def _is_due(key: ApiKey, now: datetime) -> bool:
    every = _NOTED_EVERY if key.rotated_at is None else _OLD_NOTED_EVERY
    return key.last_used_at is None or now - max(key.last_used_at, key.rotated_at or key.last_used_at) >= every
