"""ReadingBlocks <-> Rows: what of a batch the store takes, and rows of many series as the body of a batch.

A body that came from a gateway is kept as it is, and its tags are looked up in a map. Bodies that the store writes
itself have series for tags, floats as floats and the bits of every other kind as integers.
"""

import zlib
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from cloud.errors import Unavailable
from cloud.storage.chunks.catalogue import Catalogue, TagMap
from cloud.storage.chunks.rows import Rows, stack, to_bits
from cloud.storage.spans import END_US
from protocols import columns
from protocols.batch import MAX_BODY_BYTES
from protocols.compression import compress, decompress
from protocols.errors import InvalidContent
from protocols.reading import Column, Kind, Quality, ReadingBlock

_KNOWN_QUALITY = np.isin(np.arange(256), list(Quality))


class DamagedPart(Unavailable):
    """A part of the store does not hold what was written; the others are not touched by it."""

    def __init__(self, level: str, number: int, where: str, problem: str) -> None:
        super().__init__(
            f"{where}: {level} {number} is damaged: {problem}",
            code="PART_DAMAGED",
            details={"level": level, "id": number},
        )
        self.level = level
        self.number = number


def checked(data: bytes, crc: int) -> bytes:
    """Return the data; raise InvalidContent where its crc32 is another."""
    if zlib.crc32(data) != crc:
        raise InvalidContent(f"{len(data)} bytes do not have the crc32 {crc:08x} they were written with")
    return data


def to_rows(block: ReadingBlock, tags: TagMap, catalogue: Catalogue, *, make_texts: bool) -> Rows:
    """Return the readings that the store takes, in order of arrival: of known tags, their kinds, times, qualities."""
    parts = []
    for column in block.columns:
        sound = _is_sound(column, tags)
        kept = column if sound.all() else column.take(sound)
        value = kept.value
        if column.kind == Kind.TEXT:
            value = catalogue.text_ids(block.texts, make=make_texts)[kept.value]
        parts.append(Rows(tags.series[kept.tag], kept.time_us, to_bits(column.kind, value), kept.quality))
    return stack(parts)


def _is_sound(column: Column, tags: TagMap) -> NDArray[np.bool_]:
    count = len(tags.kinds)
    fits = column.tag < count
    if count and fits.all() and (tags.kinds == column.kind).all():
        sound = fits
    else:
        sound = fits & (np.append(tags.kinds, 255)[np.where(fits, column.tag, count)] == column.kind)
    sound &= (column.time_us >= 0) & (column.time_us < END_US) & _KNOWN_QUALITY[column.quality]
    return sound


def from_body(body: bytes, tags: TagMap, catalogue: Catalogue) -> Rows:
    """Return what the store takes of a batch's own body; raise InvalidContent where it cannot be read."""
    return to_rows(columns.decode(decompress(body, limit=MAX_BODY_BYTES)), tags, catalogue, make_texts=False)


def pack_rows(rows: Rows, kinds: NDArray[np.uint8]) -> bytes:
    """Return rows of many series as a body of the store's own; best in order of time."""
    is_float = kinds[rows.series] == Kind.FLOAT
    parts = []
    for kind, mine in ((Kind.FLOAT, is_float), (Kind.INT, ~is_float)):
        if mine.any():
            some = rows if mine.all() else rows.take(mine)
            tag = some.series.astype(np.uint32)
            parts.append(Column(kind, tag, some.time_us, some.bits.view(kind.dtype), some.quality))
    return compress(columns.encode(ReadingBlock(tuple(parts))))


def unpack_rows(body: bytes) -> Rows:
    """Return the rows of a body of the store's own, by kind; raise InvalidContent where it cannot be read."""
    block = columns.decode(decompress(body, limit=MAX_BODY_BYTES))
    return stack(
        [
            Rows(part.tag.astype(np.int32), part.time_us, part.value.view(np.uint64), part.quality)
            for part in block.columns
        ]
    )


def day(time_us: int) -> str:
    """Return the day of a time, as a person reads it."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).date().isoformat()
