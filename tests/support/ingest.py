"""Desk: an intake with its books on a real database, and builders of the frames that come to it."""

from collections.abc import Sequence
from pathlib import Path

from cloud.ingest.books import Books
from cloud.ingest.figures import Figures
from cloud.ingest.intake import Intake
from cloud.ingest.parcels import BatchParcel, HelloParcel, StateParcel, TelemetryParcel
from cloud.ports import ReadingStore, Series
from cloud.storage.chunks.database import Database, Space, disk_space
from cloud.storage.memory import MemoryStore
from protocols.batch import Drop, GatewayEvent, Key, SealedBatch
from protocols.codec import pack, seal_data, seal_drop, seal_event, seal_tags
from protocols.delivery import Ack, EpochMarks, EpochRange, Hello, State, encode
from protocols.tag import TagTable
from tests.support.cloud_clock import HandClock
from tests.support.readings import block, table

TABLE = table("flow", "pressure")
EPOCH = 7
GATEWAY = "gw-1"


def frame(sealed: SealedBatch, seq: int, *, gateway: str = GATEWAY, epoch: int = EPOCH) -> bytes:
    """Return a batch as it goes over the wire."""
    return pack(sealed, gateway=gateway, key=Key(epoch, seq))


def tags(seq: int = 1, *, tag_table: TagTable = TABLE, gateway: str = GATEWAY, epoch: int = EPOCH) -> bytes:
    """Return the frame of a tag table."""
    return frame(seal_tags(tag_table, segment=0), seq, gateway=gateway, epoch=epoch)


def data(
    seq: int, *, readings: int = 3, gateway: str = GATEWAY, epoch: int = EPOCH, value: float = 1.5, table_hash: str = ""
) -> bytes:
    """Return the frame of readings whose times follow from epoch and seq, so that no two batches share one."""
    start_us = 1_700_000_000_000_000 + (epoch * 10_000 + seq) * 1_000_000_000
    readings_block = block([value + step for step in range(readings)], start_us=start_us)
    sealed = seal_data(readings_block, segment=0, table=table_hash or TABLE.hash)
    return frame(sealed, seq, gateway=gateway, epoch=epoch)


def drop(
    seq: int, lo: int, hi: int, readings: int, *, counts: tuple[tuple[int, int], ...] = (), epoch: int = EPOCH
) -> bytes:
    """Return the frame that declares lo..hi given up; without counts as older agents do."""
    return frame(seal_drop(Drop(epoch, lo, hi, readings, "full", counts), segment=0), seq)


def event(seq: int, name: str = "clock_stepped") -> bytes:
    """Return the frame of an event."""
    return frame(seal_event(GatewayEvent(at_us=1_700_000_000_000_000, name=name), segment=0), seq)


def hello(nonce: int = 1, *, generation: int = 0, epoch: int = EPOCH, hi: int = 9, wall_us: int = 0) -> Hello:
    """Return the first words of a gateway with one open epoch."""
    ranges = (EpochRange(epoch, 1, hi, closed=False),)
    return Hello(nonce, "1.2.3", ranges, wall_us=wall_us, monotonic_us=5, generation=generation)


class Desk:
    """Takes payloads as they come from the broker; free: the bytes that the disk is said to have left."""

    def __init__(
        self,
        path: Path,
        *,
        store: ReadingStore | None = None,
        database: Database | None = None,
        clock: HandClock | None = None,
    ) -> None:
        self.clock = clock or HandClock()
        self.free_bytes: int | None = None
        self.database = database or Database(path, space=self._space)
        self.store = store or MemoryStore(self.clock)
        self.figures = Figures()
        self.books = Books.open(self.database, now_s=1_750_000_000)
        self.intake = Intake(self.store, self.books, clock=self.clock, figures=self.figures)

    def reopen(self, path: Path) -> "Desk":
        """Return a desk on the same file and store, as after a crash of the process."""
        self.database.close()
        return Desk(path, store=self.store)

    def batches(self, *payloads: bytes, gateway: str = GATEWAY) -> Sequence[tuple[str, Ack]]:
        """Settle frames as one group and return the acks."""
        return self.intake.settle([BatchParcel(gateway, payload) for payload in payloads]).acks

    def decode_waiting(self) -> None:
        """Write what waited for tag tables that are there now."""
        while self.intake.decode_waiting():
            pass

    def marks(self, *payloads: bytes, gateway: str = GATEWAY) -> EpochMarks:
        """Settle frames of one epoch and return what is said of it."""
        ((_, ack),) = self.batches(*payloads, gateway=gateway)
        (said,) = ack.epochs
        return said

    def hello(self, message: Hello, *, gateway: str = GATEWAY) -> Ack:
        """Take a hello and return its answer."""
        ((_, ack),) = self.intake.settle([HelloParcel(gateway, encode(message))]).acks
        return ack

    def state(self, message: State, *, gateway: str = GATEWAY, is_retained: bool = False) -> None:
        """Take a state."""
        self.intake.settle([StateParcel(gateway, encode(message), is_retained)])

    def telemetry(self, device: str, payload: bytes) -> None:
        """Take a JSON message."""
        self.intake.settle([TelemetryParcel(device, payload)])

    def counted(self, outcome: str, family: str = "lineside_ingest_batches") -> int:
        """Return a counter."""
        return self.figures.counted(family, outcome)

    def values(self, device: str = "pump-1", tag: str = "flow", *, source: str = GATEWAY) -> list[float]:
        """Return every value of a series in order of time."""
        found = [one for one in self.store.series(source=source, device=device) if one.key.tag == tag]
        return [value for one in found for value in self._values(one)]

    def _values(self, series: Series) -> list[float]:
        points = self.store.points(series, start_us=0, end_us=1 << 62, limit=1 << 20)
        return [float(value) for value in points.value]

    def _space(self, path: Path) -> Space:
        if self.free_bytes is None:
            return disk_space(path)
        return Space(100 << 30, self.free_bytes)
