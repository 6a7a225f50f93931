"""Download: a report or an export as a file that people fetch by its name, until it is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DownloadKind(StrEnum):
    """What made the file; the value is the folder in its URL."""

    REPORT = "reports"
    EXPORT = "exports"


@dataclass(frozen=True, slots=True)
class Download:
    """One file; name: the last part of its URL, file: where the file store keeps it, facts: what the file says."""

    id: str
    kind: DownloadKind
    name: str
    media_type: str
    file: str
    size_bytes: int
    by: str
    made_at: datetime
    kept_until: datetime
    job: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return where it is fetched from, without a signature."""
        return f"/{self.kind}/{self.name}"
