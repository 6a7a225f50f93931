"""Parcels: what comes through the door, by whichever way, and what its sender is told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloud.errors import CloudError
from cloud.ingest.ledger import Entry
from cloud.ports import Arrival, Written
from protocols.batch import Header
from protocols.codec import Frame
from protocols.delivery import Ack, Hello, Rejected


@dataclass(frozen=True, slots=True)
class BatchParcel:
    """A frame from a data topic; gateway: by the topic's word."""

    gateway: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class WaitingParcel:
    """A frame that was settled without its tag table, which came since; the header is as it was noted then."""

    id: int
    header: Header
    payload: bytes


@dataclass(frozen=True, slots=True)
class HelloParcel:
    """The first words of a gateway."""

    gateway: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class StateParcel:
    """The state of a gateway; is_retained: the broker kept it, nobody knows how long."""

    gateway: str
    payload: bytes
    is_retained: bool = False


@dataclass(frozen=True, slots=True)
class TelemetryParcel:
    """A JSON message of any device; device: by the topic's word."""

    device: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class DirectParcel:
    """Readings that are already a block."""

    arrival: Arrival


@dataclass(frozen=True, slots=True)
class ArchiveParcel:
    """Up to which seq the batches of (gateway, epoch) are in a backup."""

    marks: Mapping[tuple[str, int], int]


Parcel = BatchParcel | WaitingParcel | HelloParcel | StateParcel | TelemetryParcel | DirectParcel | ArchiveParcel
Outcome = Written | CloudError | None
"""What the sender of direct readings is told; None for everything that is answered by an ack, or not at all."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a group of parcels once it was durable; outcomes: one for each parcel."""

    outcomes: tuple[Outcome, ...]
    acks: tuple[tuple[str, Ack], ...]


def joined(parts: Sequence[Settlement]) -> Settlement:
    """Return one settlement for groups that followed one another."""
    outcomes = tuple(outcome for part in parts for outcome in part.outcomes)
    return Settlement(outcomes, tuple(ack for part in parts for ack in part.acks))


@dataclass(slots=True)
class Pending:
    """Readings to be written with the group; entry and frame: of the batch they came in, if any.

    undecoded: how many readings of the batch were counted so until now.
    """

    arrival: Arrival
    entry: Entry | None = None
    frame: Frame | None = None
    payload: bytes = b""
    undecoded: int = 0
    outcome: Outcome = None


@dataclass(slots=True)
class Answer:
    """What is to be said of one epoch after the commit: of which numbers, and which of them are in quarantine."""

    about: set[int] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """The work of one transaction; nothing of it counts before the commit."""

    now_us: int
    pending: list[Pending] = field(default_factory=list)
    answers: dict[str, dict[int, Answer]] = field(default_factory=dict)
    hellos: list[tuple[str, Hello]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answer(self, gateway: str, epoch: int) -> Answer:
        """Return the answer that this epoch of this gateway will get."""
        return self.answers.setdefault(gateway, {}).setdefault(epoch, Answer())

    def count(self, family: str, outcome: str, more: int = 1) -> None:
        """Count something that holds if the group commits."""
        self.counts[family, outcome] += more
