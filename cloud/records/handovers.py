"""HandoverNoteRow: what shifts tell one another."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.handover import MAX_TEXT, HandoverNote
from cloud.records.base import Base, UtcDateTime
from cloud.records.pages import page_of


class HandoverNoteRow(Base):
    """One note."""

    __tablename__ = "handover_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by: Mapped[str] = mapped_column(String(200))
    shift: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200), index=True)
    text: Mapped[str] = mapped_column(String(MAX_TEXT))


def add_note(session: Session, note: HandoverNote) -> HandoverNote:
    """Return the note as it is kept."""
    row = HandoverNoteRow(at=note.at, by=note.by, shift=note.shift, device=note.device, text=note.text)
    session.add(row)
    session.flush()
    return _note(row)


def list_notes(
    session: Session, *, device: str | None = None, limit: int = 100, offset: int = 0
) -> tuple[Sequence[HandoverNote], int]:
    """Return the newest first, of one device or of all, and how many there are."""
    chosen = [] if device is None else [HandoverNoteRow.device == device]
    rows, total = page_of(session, HandoverNoteRow, chosen, HandoverNoteRow.id.desc(), limit=limit, offset=offset)
    return [_note(row) for row in rows], total


def _note(row: HandoverNoteRow) -> HandoverNote:
    return HandoverNote(row.id, row.at, row.by, row.shift, row.text, row.device)
