"""Labels: what operators say of spans of time, one by one or many from CSV."""

from collections.abc import Sequence

from cloud.domain.audit import AuditEntry
from cloud.domain.label import Label, Resolve, at_row, read_labels
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.labels import add_label, delete_label, list_labels


class Labels:
    """The labels of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def list(
        self, *, source: str | None, device: str | None, from_us: int | None, to_us: int | None
    ) -> Sequence[Label]:
        """Return those of a device and a span, in order of their beginning; raise Unavailable."""
        with self._records.reading() as session:
            return list_labels(session, source=source, device=device, from_us=from_us, to_us=to_us)

    def add(self, label: Label, *, by: str) -> Label:
        """Keep one; raise Invalid, Conflict, Unavailable."""
        with self._records.writing() as session:
            kept = add_label(session, label)
            add_audit(session, self._entry(by, "label.add", str(kept.id), {"verdict": kept.verdict.value}))
        return kept

    def read(self, text: str, resolve: Resolve, *, by: str) -> Sequence[Label]:
        """Keep all labels of a CSV text, or none; raise Invalid that names the row, Unavailable."""
        at = to_datetime(self._clock.now_us())
        rows = list(read_labels(text, resolve, by=by, at=at))
        kept = []
        with self._records.writing() as session:
            for number, label in rows:
                try:
                    kept.append(add_label(session, label))
                except (Conflict, Invalid) as error:
                    raise at_row(number, error) from error
            add_audit(session, self._entry(by, "label.import", "labels", {"rows": len(rows)}))
        return kept

    def delete(self, number: int, *, by: str) -> None:
        """Take one back; raise NotFound, Unavailable."""
        with self._records.writing() as session:
            if not delete_label(session, number):
                raise NotFound(f"there is no label {number}", code="LABEL_NOT_FOUND", details={"id": number})
            add_audit(session, self._entry(by, "label.delete", str(number), {}))

    def _entry(self, by: str, action: str, subject: str, details: dict[str, object]) -> AuditEntry:
        return AuditEntry(to_datetime(self._clock.now_us()), by, action, subject, details)
