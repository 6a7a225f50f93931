"""Activities: the audit, page by page, as people read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.activity import Activity, actions_of, activity_of, taken_actions
from cloud.records.audit import AuditQuestion, page_of_audit
from cloud.records.database import Records


@dataclass(frozen=True, slots=True)
class Activities:
    """What happened; blocking, and safe to use from several threads."""

    records: Records

    def list(
        self, *, kind: str | None, since: datetime | None, limit: int, offset: int
    ) -> tuple[Sequence[Activity], int]:
        """Return the newest first, and how many there are in all; since: strictly after. Raise Unavailable."""
        wanted = tuple(actions_of(kind)) if kind else ()
        question = AuditQuestion(wanted, tuple(taken_actions() - set(wanted)) if kind else (), since)
        with self.records.reading() as session:
            found, total = page_of_audit(session, question, limit=limit, offset=offset)
        return [activity_of(number, entry) for number, entry in found], total
