"""LogLevel: lets an operator hear more or less of all processes of this host, at once and without a restart."""

from dataclasses import dataclass
from pathlib import Path

from cloud.domain.audit import AuditEntry
from cloud.domain.times import to_datetime
from cloud.errors import Unavailable
from cloud.logs import change_level, changed_level
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records


@dataclass(frozen=True, slots=True)
class Level:
    """The level that holds, and the one of the configuration."""

    level: str
    configured: str

    @property
    def is_changed(self) -> bool:
        """Return whether an operator changed it."""
        return self.level != self.configured


class LogLevel:
    """The file that all processes of this host follow; blocking."""

    def __init__(self, records: Records, clock: Clock, changes: Path, configured: str) -> None:
        self._records = records
        self._clock = clock
        self._changes = changes
        self._configured = configured

    def show(self) -> Level:
        """Return the level that holds."""
        return Level(changed_level(self._changes) or self._configured, self._configured)

    def change(self, level: str, *, by: str) -> Level:
        """Let all processes log from this level on, and note who wanted it; raise Unavailable."""
        self._note(level, by)
        try:
            change_level(self._changes, level)
        except OSError as error:
            raise Unavailable(f"the level cannot be written down: {error}") from error
        return self.show()

    def restore(self, *, by: str) -> Level:
        """Go back to the configured level; raise Unavailable."""
        self._note(self._configured, by)
        try:
            self._changes.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"the level cannot be changed: {error}") from error
        return self.show()

    def _note(self, level: str, by: str) -> None:
        entry = AuditEntry(to_datetime(self._clock.now_us()), by, "log.level", level, {"before": self.show().level})
        with self._records.writing() as session:
            add_audit(session, entry)
