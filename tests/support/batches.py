"""Builders of readings and sealed batches, and a counter in the place of random epochs."""

import os
from collections.abc import Callable, Iterable
from itertools import count

import numpy as np

from protocols.batch import BatchKind, Drop, GatewayEvent, SealedBatch
from protocols.codec import open_drop, open_event, seal_data, seal_event, seal_tags, unpack
from protocols.delivery import Ack, EpochMarks
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable

START_US = 1_790_000_000_000_000


def tag_table(tags: int = 4, *, device: str = "pump-1", period_s: float = 1.0) -> TagTable:
    """Return a table with one device and so many float tags named t0, t1, ..."""
    rows = tuple(TagInfo(device=0, name=f"t{at}", kind=Kind.FLOAT, period_s=period_s) for at in range(tags))
    return TagTable(devices=(DeviceInfo(id=device),), tags=rows)


def block(values: Iterable[float], *, at_us: int = START_US, tags: int = 4) -> ReadingBlock:
    """Return readings with these values on tags 0, 1, ... in turn, all of one moment."""
    value = np.fromiter(values, dtype=np.float64)
    n = len(value)
    tag = (np.arange(n) % tags).astype(np.uint32)
    times = np.full(n, at_us, dtype=np.int64)
    return ReadingBlock((Column(Kind.FLOAT, tag, times, value, np.full(n, Quality.GOOD, dtype=np.uint8)),))


def data(readings: int = 3, *, table: TagTable | None = None, body_bytes: int | None = None) -> SealedBatch:
    """Return a data batch; with `body_bytes` its body is noise of that length, which no buffer looks into."""
    table_hash = (table or tag_table()).hash
    if body_bytes is not None:
        return SealedBatch(BatchKind.DATA, 0, table_hash, readings, os.urandom(body_bytes))
    return seal_data(block(range(readings)), segment=0, table=table_hash)


def tags(table: TagTable | None = None) -> SealedBatch:
    """Return the tags batch of a table."""
    return seal_tags(table or tag_table(), segment=0)


def event(name: str = "clock_stepped") -> SealedBatch:
    """Return an event batch."""
    return seal_event(GatewayEvent(at_us=START_US, name=name), segment=0)


def event_in(frame: bytes) -> GatewayEvent:
    """Return the event in a frame."""
    return open_event(unpack(frame))


def drop_in(frame: bytes) -> Drop:
    """Return the declaration in a frame."""
    return open_drop(unpack(frame))


def ack(
    epoch: int, c: int = 0, *sel: tuple[int, int], generation: int = 1, a: int = 0, nonce: int | None = None
) -> Ack:
    """Return an ack of one epoch."""
    return Ack(generation, (EpochMarks(epoch, c, sel, a),), nonce=nonce)


def counted_epochs() -> Callable[[], int]:
    """Return a function that gives 101, 102, ..."""
    return count(101).__next__
