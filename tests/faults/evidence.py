"""Evidence: what the truth file, the cloud's store and the agents' buffers say, read while nobody is asked."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cloud.clock import SystemClock
from cloud.ingest.intervals import Intervals
from cloud.ports import Points, Series
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from deploy.counting import Value
from edge_agent.commands.buffer import lines
from firmware_sim.truth import read_truth
from protocols.batch import BatchKind, Key
from protocols.codec import unpack
from protocols.delivery import EpochMarks
from protocols.errors import ProtocolError
from protocols.reading import Kind, Quality
from protocols.tag import TagTable
from tests.faults.counting import Series as Name
from tests.faults.counting import Shown

ALL_TIME_US = 1 << 61
_PAGE = 100_000
_EPOCH = "select gateway, epoch, dropped, duplicate + replaced, id from ledger_epoch"
_RANGES = "select lo, hi from ledger_interval where epoch_id = ? order by lo"


def made(truth: Path) -> list[Shown]:
    """Return every value that the plant served."""
    return [
        Shown((answer.machine, tag), value, answer.at_us / 1e6, answer.is_late)
        for answer in read_truth(truth).answers
        for tag, value in zip(answer.tags, answer.values, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Books:
    """What the cloud's ledger says. again: readings that came under a second key; settled: by gateway and epoch."""

    dropped: int
    again: int
    settled: Mapping[tuple[str, int], Intervals]


class CloudFile:
    """The cloud's file of readings, opened for reading; raise Unavailable where there is none. A context manager."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, read_only=True)
        self._store = ChunkStore(self._database, SystemClock())

    def values(self) -> list[Shown]:
        """Return every value that is stored, decoded or raw, of readings that have one."""
        stored = [one for series in self._store.series() for one in self._of(series)]
        return stored + [one for frame in self._raw() for one in shown([frame], {})]

    def books(self) -> Books:
        """Return what the ledger says."""
        rows = list(self._database.execute(_EPOCH))
        settled = {
            (gateway, epoch): Intervals.of(*((lo, hi) for lo, hi in self._database.execute(_RANGES, (number,))))
            for gateway, epoch, _, _, number in rows
        }
        return Books(sum(row[2] for row in rows), sum(row[3] for row in rows), settled)

    def told_of(self, gateway: str, key: Key) -> list[str]:
        """Return what the store knows of a batch, in words."""
        words = []
        batch = (
            "select crc, count, received_us from ledger_batch join ledger_epoch on id = epoch_id "
            "where gateway = ? and epoch = ? and seq = ?"
        )
        for crc, count, received_us in self._database.execute(batch, (gateway, key.epoch, key.seq)):
            words.append(f"stored at {received_us / 1e6:.3f}: {count} readings, crc {crc:08x}")
        aside = "select code, detail, received_us from quarantine where gateway = ? and epoch = ? and seq = ?"
        for code, detail, received_us in self._database.execute(aside, (gateway, key.epoch, key.seq)):
            words.append(f"kept aside at {received_us / 1e6:.3f}: {code}: {detail}")
        return words

    def _raw(self) -> Iterator[bytes]:
        for table in ("quarantine", "undecoded"):
            yield from (bytes(row[0]) for row in self._database.execute(f"select frame from {table}"))  # noqa: S608 - ours

    def _of(self, series: Series) -> Iterator[Shown]:
        start_us = -ALL_TIME_US
        while True:
            points = self._store.points(series, start_us=start_us, end_us=ALL_TIME_US, limit=_PAGE)
            yield from _shown(series, points)
            if len(points.time_us) < _PAGE:
                return
            start_us = int(points.time_us[-1]) + 1

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shown(series: Series, points: Points) -> Iterator[Shown]:
    name = (series.key.device, series.key.tag)
    texts = points.texts if points.kind is Kind.TEXT else None
    for time_us, value, quality in zip(
        points.time_us.tolist(), points.value.tolist(), points.quality.tolist(), strict=True
    ):
        if Quality(quality).has_value:
            yield Shown(name, texts[value] if texts is not None else value, time_us / 1e6)


@dataclass(frozen=True, slots=True)
class Held:
    """A data batch in a buffer: its key, whether the store acknowledged it, and what it holds."""

    key: Key
    is_acked: bool
    values: tuple[Shown, ...]


def held(buffer: Path) -> list[Held]:
    """Return every data batch in the file of a buffer that nobody has open, also those kept after their ack."""
    with closing(sqlite3.connect(f"file:{buffer}?mode=ro", uri=True)) as connection:
        frames = [bytes(frame) for (frame,) in connection.execute("select frame from batch order by id")]
        books = list(connection.execute("select epoch, c, sel from epoch"))
    marks = {epoch: EpochMarks(epoch, c, tuple(map(tuple, json.loads(sel)))) for epoch, c, sel in books}
    tables: dict[str, TagTable] = {}
    found: list[Held] = []
    for frame in frames:
        values = tuple(shown([frame], tables))
        header = unpack(frame).header
        if header.kind is BatchKind.DATA:
            known = marks.get(header.epoch)
            is_acked = known is not None and known.covers(header.seq)
            found.append(Held(Key(header.epoch, header.seq), is_acked, values))
    return found


def shown(frames: Sequence[bytes], tables: dict[str, TagTable]) -> Iterator[Shown]:
    """Yield the values in frames; tables: the tag tables met so far."""
    for frame in frames:
        try:
            unpack(frame)
        except ProtocolError:
            continue
        for line in lines(frame, tables):
            if "time_us" in line and "device" in line and _has_value(str(line["quality"])):
                yield _value(line)


def _has_value(text: str) -> bool:
    return next(one for one in Quality if one.text == text).has_value


def _value(line: Mapping[str, object]) -> Shown:
    value, time_us = line["value"], line["time_us"]
    assert isinstance(value, float | int | str | bool)
    assert isinstance(time_us, int)
    return Shown((str(line["device"]), str(line["tag"])), value, time_us / 1e6)


def waiting(batches: Sequence[Held]) -> Counter[tuple[Name, Value]]:
    """Return how often each value waits in these batches for its ack."""
    return Counter(
        (one.series, one.value if isinstance(one.value, str) else float(one.value))
        for batch in batches
        if not batch.is_acked
        for one in batch.values
    )
