"""Delivery: one event on its way to one target; a dead letter is one that every attempt failed to bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

RETRY_DELAYS_S = (2.0, 4.0, 6.0)


class DeliveryState(StrEnum):
    """How far it is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What is to be sent; webhook: its id, empty for a mail of the cloud's own; target: a `mailto:` for those.

    sequence: number of the notice that it tells of, None where it tells of none.
    """

    event_type: str
    payload: Mapping[str, object]
    webhook: str = ""
    target: str = ""
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt came out; status: of HTTP, None where there was no answer; error: empty where it arrived."""

    at: datetime
    status: int | None
    error: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Return whether it arrived."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Delivery:
    """One as it is kept; run: token of who is sending it now; log: its newest attempts, the oldest first."""

    id: str
    webhook: str
    target: str
    event_type: str
    payload: Mapping[str, object]
    state: DeliveryState
    created_at: datetime
    next_at: datetime
    attempts: int = 0
    run: str = ""
    ended_at: datetime | None = None
    log: Sequence[Attempt] = field(default_factory=tuple)

    @property
    def circuit(self) -> str:
        """Return the name of the circuit that it goes through."""
        return self.webhook or self.target


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that failed for good; its id is the delivery's."""

    id: str
    webhook: str
    target: str
    event_type: str
    payload: Mapping[str, object]
    error: str
    attempts: int
    at: datetime


def wait_before(attempts: int, delays_s: Sequence[float], stretch: float = 0.0) -> timedelta | None:
    """Return the pause after that many failed attempts, None where there is no further one; stretch: a share of it."""
    if attempts > len(delays_s):
        return None
    return timedelta(seconds=delays_s[attempts - 1] * (1 + stretch))
