"""Session: one log-in, from the first token to the last; and how long who guesses passwords has to wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

REUSE_S = 30.0
"""How long a refresh token that was exchanged is taken again: two tabs of one browser ask at the same time."""
FORGOTTEN_AFTER = timedelta(minutes=15)
"""Failures before a pause of this length count no more."""


class Ending(StrEnum):
    """Why a session ended."""

    NONE = ""
    LOGOUT = "logout"
    REPLAY = "replay"
    """A refresh token was used again long after it was exchanged: somebody else has it."""
    CHANGED = "changed"
    """The user's password, role or right to log in changed."""


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one user."""

    id: str
    user_id: int
    created_at: datetime
    expires_at: datetime
    address: str
    ended_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Return whether its tokens may still be good."""
        return self.ended_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link of a session's chain; rotated_at: when it was exchanged for the next one."""

    id: str
    session_id: str
    issued_at: datetime
    rotated_at: datetime | None = None

    def is_replayed(self, at: datetime) -> bool:
        """Return whether using it now means that it was stolen."""
        return self.rotated_at is not None and at - self.rotated_at > timedelta(seconds=REUSE_S)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures in a row are free, and the longest wait after that; the wait doubles with each failure."""

    free: int
    longest_s: float

    def wait_s(self, failures: int) -> float:
        """Return how long to wait after so many failures."""
        over = failures - self.free
        return 0.0 if over < 0 else min(2.0 ** min(over, 30), self.longest_s)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What was tried in vain under one name or from one address."""

    failures: int
    last_at: datetime

    def left_s(self, at: datetime, patience: Patience) -> float:
        """Return how long to wait from now on, 0 where one may try."""
        if at - self.last_at > FORGOTTEN_AFTER:
            return 0.0
        return max(0.0, patience.wait_s(self.failures) - (at - self.last_at).total_seconds())

    def after_failure(self, at: datetime) -> "Attempts":
        """Return what is known after one more failure."""
        return Attempts(1 if at - self.last_at > FORGOTTEN_AFTER else self.failures + 1, at)
