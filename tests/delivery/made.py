"""What the gateways of one name ever made: every batch that a buffer committed, and readings that never repeat."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge_agent.ports import StoredBatch
from protocols.batch import BatchKind, Drop, Key, SealedBatch
from protocols.codec import open_data, open_drop, unpack
from protocols.errors import InvalidContent
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import TagTable
from tests.support.batches import START_US

_POOL = 1 << 16
_NOISE_BYTES = 40


class Plant:
    """Makes readings: no value and no time comes twice, and no value can be foretold, so that nothing packs them."""

    def __init__(self) -> None:
        self._values = np.random.default_rng(5).normal(size=_POOL)
        self._made = 0

    @property
    def now_us(self) -> int:
        """Return the time of the next reading, which is how this plant counts."""
        return START_US + 1000 * self._made

    def block(self, count: int, *, tags: int) -> ReadingBlock:
        """Return so many readings of the tags 0, 1, ... in turn."""
        number = self._made + np.arange(count)
        self._made += count
        value = self._values[number % _POOL] + number // _POOL
        quality = np.full(count, Quality.GOOD, dtype=np.uint8)
        return ReadingBlock(
            (Column(Kind.FLOAT, (number % tags).astype(np.uint32), START_US + 1000 * number, value, quality),)
        )

    def poison(self, count: int, *, table: TagTable) -> SealedBatch:
        """Return a batch that is said to hold so many readings and holds noise."""
        self._made += count
        noise = np.random.default_rng(self._made).bytes(_NOISE_BYTES)
        return SealedBatch(BatchKind.DATA, 0, table.hash, count, noise)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch that a buffer committed; values: time -> value, empty where it is poison or no data."""

    key: Key
    kind: BatchKind
    readings: int
    frame: bytes
    table: str
    values: dict[int, float]
    drop: Drop | None

    @property
    def is_poison(self) -> bool:
        """Return whether it claims readings that nobody can read."""
        return bool(self.readings) and not self.values

    @property
    def dropped(self) -> list[Key]:
        """Return the keys that it declares dropped."""
        return [] if self.drop is None else [Key(self.drop.epoch, at) for at in range(self.drop.lo, self.drop.hi + 1)]


class Register:
    """Every batch ever committed by a gateway, clones and lost ones too."""

    def __init__(self) -> None:
        self.batches: dict[Key, Batch] = {}
        self.epochs: dict[int, list[Batch]] = {}
        self._times: dict[int, Key] = {}

    def note(self, stored: StoredBatch) -> None:
        """Note a batch that came into a buffer: I2, I4 and I9 are about what may; an old copy brings known ones."""
        known = self.batches.get(stored.key)
        if known is not None:
            assert known.frame == stored.frame, f"I4: the key {stored.key} was used twice"
            return
        batch = _opened(stored)
        before = self.epochs.setdefault(batch.key.epoch, [])
        assert batch.key.seq == len(before) + 1, f"I9: {batch.key} does not follow {len(before)} batches"
        times = [max(one.values) for one in before if one.values]
        assert not (times and batch.values and min(batch.values) < times[-1]), f"I9: {batch.key} is older than others"
        for at_us in batch.values:
            assert self._times.setdefault(at_us, batch.key) == batch.key, f"I2: a reading lies under {batch.key} too"
        before.append(batch)
        self.batches[batch.key] = batch

    def readings(self, keys: Iterable[Key]) -> int:
        """Return how many readings these batches hold."""
        return sum(self.batches[key].readings for key in keys)

    def declared(self, keys: Iterable[Key]) -> set[Key]:
        """Return what the drop batches among these declare dropped."""
        return {dropped for key in keys for dropped in self.batches[key].dropped}


def _opened(stored: StoredBatch) -> Batch:
    frame = unpack(stored.frame)
    values: dict[int, float] = {}
    if stored.kind is BatchKind.DATA:
        values = _values(stored.frame)
    drop = open_drop(frame) if stored.kind is BatchKind.DROP else None
    readings = stored.count if stored.kind is BatchKind.DATA else 0
    return Batch(stored.key, stored.kind, readings, stored.frame, frame.header.table, values, drop)


def _values(frame: bytes) -> dict[int, float]:
    try:
        columns = open_data(unpack(frame)).columns
    except InvalidContent:
        return {}
    return {int(at): float(value) for column in columns for at, value in zip(column.time_us, column.value, strict=True)}
