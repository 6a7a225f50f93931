"""AuditEntry: one change that somebody must be able to look up later."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, and when; details hold no secrets."""

    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, object] = field(default_factory=dict)
