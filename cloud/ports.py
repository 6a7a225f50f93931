"""What the cloud needs of the world: a clock, stores of readings and of files. Only wiring names concrete parts."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from protocols.batch import Key
from protocols.reading import Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagTable


class Clock(Protocol):
    """Time from outside, so that tests can own it."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""


@dataclass(frozen=True, slots=True)
class Hit:
    """How often something was counted in a window of time, this once included, and when the window ends."""

    count: int
    ends_us: int


class CacheFacts(NamedTuple):
    """How a store of counters is; memory in bytes; hit_rate: None before the first look-up."""

    mode: str
    memory_bytes: int
    hit_rate: float | None
    response_s: float
    version: str = ""


class Counters(Protocol):
    """Counts within windows of time, together for all who share it.

    A window begins with its first hit and ends `window_s` later; the hit after its end begins a new one. Counting may
    be lost when the machine loses its power, never when a process dies.
    """

    async def hit(self, key: str, *, window_s: int, now_us: int) -> Hit:
        """Count one and return the window's state; raise Unavailable."""

    async def facts(self) -> CacheFacts | None:
        """Return how the store is, None where it has nothing to tell; raise Unavailable."""

    async def close(self) -> None:
        """Let go of what is open."""


class SeriesKey(NamedTuple):
    """Which Tag of which Device: source is the gateway's name, empty for a device that sends by itself."""

    source: str
    device: str
    tag: str

    def fits(self, *, gateway: str, device: str, tag: str) -> bool:
        """Return whether the names fit these patterns: `*` any text, `?` any character."""
        pairs = ((self.source, gateway), (self.device, device), (self.tag, tag))
        return all(fnmatchcase(name, pattern) for name, pattern in pairs)


@dataclass(frozen=True, slots=True)
class Series:
    """One Tag's readings in the store; id is the store's own."""

    id: int
    key: SeriesKey
    kind: Kind
    unit: str
    period_s: float
    is_primary: bool


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A Device as the tag tables told of it."""

    source: str
    info: DeviceInfo


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Readings of one series in order of time, each array of shape (n,); texts index `texts`."""

    kind: Kind
    time_us: NDArray[np.int64]
    value: NDArray[Any]
    quality: NDArray[np.uint8]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Down-sampled readings, each array of shape (n,): only readings that are not bad and are finite count.

    start_us: start of each bucket; total: sum of the readings that count.
    """

    start_us: NDArray[np.int64]
    count: NDArray[np.int64]
    total: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block and the key it came under; direct readings (REST, JSON) have none and dedupe by (series, time, value)."""

    source: str
    table: TagTable
    block: ReadingBlock
    key: Key | None = None
    body: bytes = b""
    received_us: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an Arrival, in readings: their sum is the arrival's count; late ones are among the stored.

    late: of a window of three days before the one in which the series' newest reading lay; rejected: of a tag, kind,
    time or quality that cannot be.
    """

    stored: int = 0
    duplicate: int = 0
    replaced: int = 0
    rejected: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """How the store is doing; sizes in bytes."""

    readings: int
    series: int
    bytes_used: int
    bytes_free: int
    waiting_for_merge: int
    details: dict[str, float] = field(default_factory=dict)


class ReadingStore(Protocol):
    """Keeps readings for ever or as long as retention says. One process writes; any may read.

    Equal series and time: the newest arrival wins and counts as replaced, unless value and quality are the same, which
    counts as duplicate. A tag that changes its kind becomes a second series of the same key. `write` is
    called inside `transaction` and is durable when the transaction ends without an exception.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Make all writes inside durable together, or none; raise Unavailable where there is no room."""

    def write(self, arrivals: Sequence[Arrival]) -> Sequence[Written]:
        """Store these readings; series and devices that the tables name come to be."""

    def devices(self) -> Sequence[StoredDevice]:
        """Return every Device that was ever told of, in order of arrival."""

    def series(self, *, source: str | None = None, device: str | None = None) -> Sequence[Series]:
        """Return the series of a source, of a device, or all."""

    def points(self, series: Series, *, start_us: int, end_us: int, limit: int) -> Points:
        """Return the first `limit` readings with start_us <= time < end_us."""

    def buckets(self, series: Series, *, start_us: int, end_us: int, count: int) -> Buckets:
        """Return at most `count` buckets of one width, without the empty ones.

        They are aligned to the epoch; the first and the last are cut where the range begins and ends.
        """

    def latest(self, series: Sequence[Series]) -> Sequence[Points]:
        """Return for each series the reading with the highest time, as Points of length 1, or 0 where there is none."""

    def mark(self) -> int:
        """Return a number that is another one after each write that changed a reading; cheap, to be asked often."""

    def hourly(self, series: Sequence[Series], *, start_us: int, end_us: int) -> Sequence[Buckets]:
        """Return for each series the rollup of the whole hours that begin in the range."""

    def maintain(self, *, deadline_s: float) -> bool:
        """Merge, roll up and drop by retention for about this long; return whether there is more to do."""

    def set_retention(self, series: Series, *, days: float | None) -> None:
        """Keep raw readings of this series for so long (None: for ever); rollups stay."""

    def figures(self) -> StoreFigures:
        """Return how the store is doing."""

    def close(self) -> None:
        """Finish writing and let go of the files."""


class Intake(Protocol):
    """The one door to the store for readings that come by HTTP or as plain JSON."""

    async def take(self, arrival: Arrival) -> Written:
        """Return when the readings are durable; raise Invalid, or Unavailable where the store is full or away."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """Where a file is kept and what it must be: sha256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int


class FileStore(Protocol):
    """Keeps files under names that it makes. A file is there whole or not at all, and what is read is what was put.

    A name holds the content's sha256, so a name alone can be checked; equal contents are two files. kind: lower-case
    letters, digits and dashes. Names that the store did not make are NotFound, whatever they say.
    """

    def put(self, kind: str, data: bytes) -> FileRef:
        """Keep these bytes durably and return where; raise Invalid, Unavailable."""

    def put_stream(self, kind: str, chunks: Iterable[bytes], *, limit: int) -> FileRef:
        """Keep what comes, at most `limit` bytes; raise TooLarge, Invalid, Unavailable; then nothing of it stays."""

    def read(self, ref: FileRef | str) -> bytes:
        """Return the whole content; raise NotFound, or Unavailable where it is damaged."""

    def open(self, ref: FileRef | str) -> AbstractContextManager[BinaryIO]:
        """Give the content, checked before the first byte is given; raise NotFound, Unavailable."""

    def delete(self, ref: FileRef | str) -> bool:
        """Forget a file and return whether it was there; raise NotFound for a name of somebody else, Unavailable."""

    def names(self, kind: str) -> Iterable[str]:
        """Return the names of all files of a kind, in no order; raise Unavailable."""
