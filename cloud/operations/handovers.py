"""Handovers: what shifts tell one another; notes are written once and stay."""

from collections.abc import Sequence

from cloud.domain.handover import HandoverNote
from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.handovers import add_note, list_notes


class Handovers:
    """The notes of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def write(self, text: str, *, by: str, shift: str = "", device: str = "") -> HandoverNote:
        """Keep a note; device: the shown id of one that it is about. Raise Unavailable."""
        note = HandoverNote(0, to_datetime(self._clock.now_us()), by, shift, text, device)
        with self._records.writing() as session:
            return add_note(session, note)

    def list(
        self, *, device: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[Sequence[HandoverNote], int]:
        """Return the newest first, of one device or of all, and how many there are; raise Unavailable."""
        with self._records.reading() as session:
            return list_notes(session, device=device, limit=limit, offset=offset)
