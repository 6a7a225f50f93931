"""ReadingBlock and Quality: columns of values, their times, and how far to trust them.

Invariants: the arrays of a Column have one length and the dtype of its Kind; a block has at most one
Column of a Kind, in the order of Kind; arrays are never written to after a block was made from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from protocols.errors import InvalidContent

SEVERITY_MASK = 0xC0
"""The two highest bits are OPC UA's severity: 00 good, 01 uncertain, 10 bad."""


class Kind(IntEnum):
    """Which value column a Reading lives in."""

    FLOAT = 0
    INT = 1
    UINT = 2
    BOOL = 3
    TEXT = 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of this kind's value column; a text is an index into the block's table of texts."""
        return _DTYPES[self]


_DTYPES: Mapping[Kind, np.dtype[Any]] = {
    Kind.FLOAT: np.dtype(np.float64),
    Kind.INT: np.dtype(np.int64),
    Kind.UINT: np.dtype(np.uint64),
    Kind.BOOL: np.dtype(np.uint8),
    Kind.TEXT: np.dtype(np.uint32),
}


class Quality(IntEnum):
    """How far to trust a Reading: OPC UA's severity in the two high bits, the reason in the six low ones."""

    GOOD = 0x00
    UNCERTAIN = 0x40
    CLOCK_UNSET = 0x41
    SUBSTITUTED = 0x42
    STALE = 0x43
    BAD = 0x80
    DEVICE_LOST = 0x81
    NOT_A_NUMBER = 0x82
    OUT_OF_RANGE = 0x83
    FLAT_LINE = 0x84
    READ_ERROR = 0x85
    CONFIGURATION_ERROR = 0x86

    @property
    def is_good(self) -> bool:
        """Return whether the value may be used as it is."""
        return self & SEVERITY_MASK == 0

    @property
    def is_bad(self) -> bool:
        """Return whether the value must not be used."""
        return self & SEVERITY_MASK == self.BAD

    @property
    def has_value(self) -> bool:
        """Return whether a value was read at all; without one the column holds NaN, 0 or an empty text."""
        return self not in (Quality.DEVICE_LOST, Quality.READ_ERROR, Quality.CONFIGURATION_ERROR)

    @property
    def text(self) -> str:
        """Return the reason as users read it, such as `device lost`."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Readings of one Kind as parallel arrays, each of shape (n,).

    tag: uint32 index into the tag table; time_us: int64 microseconds since the epoch, UTC;
    value: of the kind's dtype; quality: uint8 codes of Quality.
    """

    kind: Kind
    tag: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: NDArray[Any]
    quality: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Raise InvalidContent where lengths or dtypes do not fit together."""
        n = self.tag.shape
        if len(n) != 1 or not n == self.time_us.shape == self.value.shape == self.quality.shape:
            shapes = f"tag {n}, time_us {self.time_us.shape}, value {self.value.shape}, quality {self.quality.shape}"
            raise InvalidContent(f"the arrays of a column differ in shape: {shapes}")
        if self.value.dtype != self.kind.dtype:
            raise InvalidContent(f"a {self.kind.name} column holds {self.kind.dtype}, not {self.value.dtype}")

    def __len__(self) -> int:
        return len(self.tag)

    def take(self, keep: NDArray[Any]) -> Self:
        """Return the rows that a boolean mask or an index array names."""
        return type(self)(self.kind, self.tag[keep], self.time_us[keep], self.value[keep], self.quality[keep])

    def is_identical(self, other: "Column") -> bool:
        """Return whether both hold the same bits; NaN payloads and the sign of zero count."""
        return self.kind == other.kind and all(
            mine.tobytes() == theirs.tobytes()
            for mine, theirs in (
                (self.tag, other.tag),
                (self.time_us, other.time_us),
                (self.value, other.value),
                (self.quality, other.quality),
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBlock:
    """The unit that flows from sensor to store: one Column per Kind that occurs, and a table of texts."""

    columns: tuple[Column, ...] = ()
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise InvalidContent where the columns are out of order or a text index points nowhere."""
        kinds = [column.kind for column in self.columns]
        if kinds != sorted(set(kinds)):
            raise InvalidContent(f"columns must be one per kind and in order, not {[kind.name for kind in kinds]}")
        text = self.column(Kind.TEXT)
        if text is not None and len(text) and int(text.value.max()) >= len(self.texts):
            raise InvalidContent(f"text {int(text.value.max())} is not among the {len(self.texts)} texts of the block")

    def __len__(self) -> int:
        return sum(len(column) for column in self.columns)

    def column(self, kind: Kind) -> Column | None:
        """Return the column of this kind, or None where no reading has it."""
        return next((column for column in self.columns if column.kind == kind), None)

    def is_identical(self, other: "ReadingBlock") -> bool:
        """Return whether both hold the same bits in the same order."""
        return (
            self.texts == other.texts
            and len(self.columns) == len(other.columns)
            and all(mine.is_identical(theirs) for mine, theirs in zip(self.columns, other.columns, strict=True))
        )

    def time_span_us(self) -> tuple[int, int] | None:
        """Return the earliest and latest time, or None for an empty block."""
        filled = [column for column in self.columns if len(column)]
        if not filled:
            return None
        return min(int(c.time_us.min()) for c in filled), max(int(c.time_us.max()) for c in filled)


def join(blocks: Iterable[ReadingBlock]) -> ReadingBlock:
    """Return one block with the rows of all, kind by kind, in the order given; texts are re-indexed."""
    kept = [block for block in blocks if len(block)]
    if len(kept) == 1:
        return kept[0]
    texts: dict[str, int] = {}
    columns: list[Column] = []
    for kind in Kind:
        parts = [_with_shared_texts(block, kind, texts) for block in kept]
        present = [part for part in parts if part is not None]
        if present:
            columns.append(_stack(kind, present))
    return ReadingBlock(tuple(columns), tuple(texts))


def _with_shared_texts(block: ReadingBlock, kind: Kind, texts: dict[str, int]) -> Column | None:
    column = block.column(kind)
    if column is None or kind != Kind.TEXT:
        return column
    moved = np.array([texts.setdefault(text, len(texts)) for text in block.texts], dtype=np.uint32)
    return Column(kind, column.tag, column.time_us, moved[column.value], column.quality)


def _stack(kind: Kind, parts: list[Column]) -> Column:
    return Column(
        kind,
        np.concatenate([part.tag for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )
