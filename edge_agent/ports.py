"""What the agent needs of the world: a clock, devices, a buffer, a broker. Only wiring names concrete parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from protocols.batch import BatchKind, Key, SealedBatch
from protocols.delivery import Ack, EpochAccount, EpochMarks, EpochRange
from protocols.reading import ReadingBlock
from protocols.scoring.model import Scoring
from protocols.scoring.network import Network
from protocols.wanted import ModelStanding


class Clock(Protocol):
    """Time from outside, so that tests can own it."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC, by the wall clock."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


Deliver = Callable[[ReadingBlock], None]
"""Takes what a Device says; called on the agent's loop, never blocks."""


class Driver(Protocol):
    """One Device on its wire. Tag indices are those of the gateway's TagTable; times are set when the answer arrives.

    Owes: a value that cannot be read is a reading with a bad Quality, never an exception; DeviceLost is raised when
    nothing answered at all; at most one exchange at a time on a shared bus; every wait has a time-out.
    """

    async def open(self) -> None:
        """Connect; raise DeviceLost where nothing answers. May be called again after DeviceLost."""

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Read these tags once, one row a tag; without any, only raise DeviceLost where the connection has gone."""

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Have changes of these tags delivered from now on; return those that must be polled instead."""

    async def write(self, tag: int, value: float | str) -> None:
        """Write one value to the Device; raise DeviceError where it refuses."""

    async def close(self) -> None:
        """Disconnect; always safe to call."""


class Gate(Protocol):
    """A rule that every reading passes on its way to the buffer; keeps what it needs of the past itself."""

    def pass_on(self, block: ReadingBlock) -> ReadingBlock:
        """Return the block as it goes on: with other qualities, or fewer rows."""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch as it lies in the buffer; frame: what goes on the wire."""

    key: Key
    kind: BatchKind
    count: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the buffer holds and has given up; sizes in bytes, time in microseconds or None when nothing waits."""

    epochs: tuple[EpochAccount, ...]
    batches_waiting: int
    bytes_used: int
    bytes_cap: int
    oldest_waiting_us: int | None
    bytes_written_today: int


@dataclass(frozen=True, slots=True)
class BufferIdentity:
    """Who an opened buffer is; last_at_us: the last time that the gateway persisted, 0 where it never did."""

    epoch: int
    last_at_us: int


@dataclass(frozen=True, slots=True)
class BufferStanding:
    """What a hello tells of the buffer, taken at one moment."""

    generation: int
    epochs: tuple[EpochRange, ...]
    marks: tuple[EpochMarks, ...]


class Buffer(Protocol):
    """Keeps sealed batches until the cloud has them. Survives kill -9. Order inside an epoch is seq order.

    Not thread-safe: lives in one thread. Opening it draws a new epoch; seq is given inside the storing transaction.
    Every method but `close` raises BufferUnusable where the file or its disk fails; what was being written is then
    not stored. A data batch uses the table of the last tags batch before it in its epoch.
    """

    @property
    def epoch(self) -> int:
        """Return the epoch that new batches are written under."""

    @property
    def generation(self) -> int:
        """Return the highest store generation an ack has told of; 0 before the first."""

    @property
    def last_at_us(self) -> int:
        """Return the time that the newest batch was stored with, 0 where there never was one."""

    def append(self, batches: Sequence[SealedBatch], *, at_us: int) -> Sequence[Key]:
        """Store all durably in one transaction, dropping old ones by policy (as drop batches) for room.

        Raises BufferFull where nothing more can be given up.
        """

    def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        """Return at most `limit` due batches, none in skip: events first, then the `newest` newest, then the oldest."""

    def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        """Return the newest tags batch of each of these tables that the buffer has, acked or not."""

    def apply(self, ack: Ack) -> bool:
        """Take over the marks of an ack, generation included, in one transaction; idempotent.

        Return False where a lower generation made it void. A higher one un-acks every retained batch first.
        """

    def unack(self) -> int:
        """Un-ack every retained batch, because the store went back; return how many."""

    def epochs(self) -> Sequence[EpochRange]:
        """Return each epoch with unpurged batches, oldest first."""

    def marks(self) -> Sequence[EpochMarks]:
        """Return what is known to be settled of each epoch with unpurged batches, in the generation known."""

    def ledger(self) -> Ledger:
        """Count readings sealed, acked, dropped and waiting, per epoch."""

    def maintain(self) -> bool:
        """Do one short piece of housekeeping while there is nothing else to do; return whether there is more."""

    def close(self) -> None:
        """Finish writing and let go of the file."""


class AsyncBuffer(Protocol):
    """A Buffer behind the one thread that it lives in; calls are served in order and never block the loop.

    Opens the file at the first call and again after it failed; until then every call raises BufferUnusable.
    """

    async def opened(self) -> BufferIdentity:
        """Open the file if it is not, and return who this buffer is."""

    async def append(self, seal: Callable[[], Sequence[SealedBatch]], *, at_us: int) -> Sequence[Key]:
        """Run `seal` in the buffer's thread and store durably what it returns."""

    async def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        """Return what is due; see Buffer."""

    async def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        """Return the tags batches of these tables."""

    async def apply(self, ack: Ack) -> bool:
        """Take over the marks of an ack; return False where it is void."""

    async def unack(self) -> int:
        """Un-ack every retained batch; return how many."""

    async def standing(self) -> BufferStanding:
        """Return epochs, marks and generation as one."""

    async def ledger(self) -> Ledger:
        """Count readings per epoch."""

    async def maintain(self) -> bool:
        """Do one short piece of housekeeping; return whether there is more."""

    async def close(self) -> None:
        """Let go of the file and end the thread; always safe to call."""


class Uplink(Protocol):
    """One connection to a broker. Callbacks come on the agent's loop; what cannot go out is refused, not queued."""

    def leave_behind(self, topic: str, payload: bytes) -> None:
        """Have the broker publish this, retained, when a connection made from now on ends without a goodbye."""

    async def connect(self) -> None:
        """Connect and subscribe; raise UplinkLost."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand the message to the broker, QoS 1, without waiting for its PUBACK; raise UplinkLost."""

    async def publish_confirmed(self, topic: str, payload: bytes) -> None:
        """Publish and wait for the broker's PUBACK; raise UplinkLost."""

    def listen(self, topic: str, receive: Callable[[bytes], None]) -> None:
        """Call `receive` with each payload on this topic, over every reconnect."""

    async def lost(self) -> None:
        """Wait until the connection is gone."""

    async def close(self) -> None:
        """Say goodbye; always safe to call."""


class Sink(Protocol):
    """Where polled blocks go: gates, then the sealer."""

    def accept(self, block: ReadingBlock) -> None:
        """Take a block; never blocks and never fails."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One value of each channel at one time; values, is_good: shape (channels,); NaN where nothing was ever read."""

    at_us: int
    values: NDArray[np.float64]
    is_good: NDArray[np.bool_]
    is_after_gap: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """An episode that opened or closed, as in Anomaly; a rule has one a channel (of its first share), a model one."""

    is_opening: bool
    shares: tuple[tuple[str, float], ...]
    score: float
    peak: float
    onset_us: int
    model: str = ""
    limit: str = ""


class Detector(Protocol):
    """Judges the rows of one Device, in order. Owes: an episode opens once and closes once, whatever the rows are."""

    def take(self, row: Row, *, is_calm: bool) -> Sequence[Turn]:
        """Return what opened or closed with this row; never fails. is_calm: no other detector sees anything."""

    @property
    def is_calm(self) -> bool:
        """Return whether it sees nothing out of order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that passed its trial and is loaded; name and version as in its package, or OWN and the fit's count."""

    name: str
    version: int
    scoring: Scoring
    network: Network
    size_bytes: int
    is_fleet: bool = False
    rollout: str = ""


class Judge(Protocol):
    """What judges one Device: the models slot's view of a detector. All calls come on the agent's loop and are short.

    Owes: whatever a model does, readings flow and rules go on; a model that fails or is late `off_after` times in a row
    is taken out (back to the one before, else off), and an event says so.
    """

    device: str
    channels: tuple[str, ...]

    def challenge(self, candidate: Candidate) -> None:
        """Let the candidate score the same rows from now on; it opens nothing. Replaces an earlier challenger."""

    def swap(self) -> None:
        """Make the challenger serve; the model before it is kept for `roll_back`."""

    def roll_back(self, reason: str) -> None:
        """Serve with the model before this one again, or with the gateway's own."""

    def dismiss(self) -> None:
        """Let go of the challenger."""

    def standings(self) -> Sequence[ModelStanding]:
        """Return how the serving model is doing, and the challenger where there is one."""
