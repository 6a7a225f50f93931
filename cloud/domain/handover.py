"""HandoverNote: what one shift tells the next; written once, never changed."""

from dataclasses import dataclass
from datetime import datetime

MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class HandoverNote:
    """A note; shift: as the plant calls it; device: its shown id, empty where it is about the whole plant."""

    id: int
    at: datetime
    by: str
    shift: str
    text: str
    device: str = ""
