"""Whole numbers as few bytes: differences along a series, as narrow as they allow, bytes of equal weight together.

All arithmetic wraps around at the width of the numbers, so that what is unpacked has the same bits as what was packed.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols.errors import InvalidContent

WIDTHS = (0, 1, 2, 4, 8)
Whole = NDArray[Any]
"""An array of integers, shape (n,)."""


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """Numbers as their distance from `base` in `width` bytes each, or none where all are the base.

    data: first the lowest byte of every number, then the second of every number, and so on.
    """

    base: int
    width: int
    data: bytes


class PackedSeries(msgspec.Struct, frozen=True, array_like=True):
    """Several series one behind another, as differences in numbers of `width` bytes that count from `base`.

    heads: the first difference of each series, against the end of the one before; rest: all other differences.
    """

    base: int
    width: int
    heads: Packed
    rest: Packed


def unsigned(width: int) -> np.dtype[Any]:
    """Return the little-endian unsigned dtype of 1, 2, 4 or 8 bytes."""
    return np.dtype(f"<u{width}")


def pack(numbers: Whole) -> Packed:
    """Return integers of any dtype packed."""
    base, offsets = _offsets(numbers)
    if offsets is None:
        return Packed(base, 0, b"")
    width = offsets.dtype.itemsize
    if width == 1:
        return Packed(base, 1, offsets.tobytes())
    return Packed(base, width, offsets.view(np.uint8).reshape(-1, width).T.tobytes())


def unpack(packed: Packed, count: int, dtype: np.dtype[Any]) -> Whole:
    """Return `count` integers of this dtype; raise InvalidContent where the bytes are not as many as that takes."""
    width = packed.width
    if width not in WIDTHS or width > dtype.itemsize or len(packed.data) != width * count:
        raise InvalidContent(f"{count} numbers of {width} bytes do not fit {dtype} or {len(packed.data)} bytes")
    if width == 0:
        return np.full(count, _wrapped(packed.base, dtype))
    offsets = np.frombuffer(packed.data, np.uint8)
    if width > 1:
        offsets = np.ascontiguousarray(offsets.reshape(width, count).T).view(unsigned(width)).reshape(-1)
    numbers = offsets.astype(unsigned(dtype.itemsize))
    if packed.base:
        numbers += _wrapped(packed.base, numbers.dtype)
    return numbers.view(dtype)


def pack_series(numbers: Whole, starts: NDArray[np.intp]) -> PackedSeries:
    """Return series that lie one behind another and begin at `starts`, the first of which is 0, packed."""
    base, offsets = _offsets(numbers)
    if offsets is None:
        empty = Packed(0, 0, b"")
        return PackedSeries(base, 0, empty, empty)
    width = offsets.dtype.itemsize
    steps = offsets.copy()
    steps[1:] -= offsets[:-1]
    steps = steps.view(f"<i{width}")
    heads, rest = split_heads(steps, starts)
    return PackedSeries(base, width, pack(heads), pack(rest))


def unpack_series(packed: PackedSeries, count: int, starts: NDArray[np.intp], dtype: np.dtype[Any]) -> Whole:
    """Return `count` integers of series that begin at `starts`; raise InvalidContent where the bytes do not fit."""
    width = packed.width
    if width not in WIDTHS or width > dtype.itemsize:
        raise InvalidContent(f"series of {width} bytes a number do not fit {dtype}")
    if width == 0:
        return np.full(count, _wrapped(packed.base, dtype))
    narrow = unsigned(width)
    heads = unpack(packed.heads, len(starts), narrow)
    rest = unpack(packed.rest, count - len(starts), narrow)
    numbers = np.cumsum(_with_heads(heads, rest, starts), dtype=narrow).astype(unsigned(dtype.itemsize))
    if packed.base:
        numbers += _wrapped(packed.base, numbers.dtype)
    return numbers.view(dtype)


def split_heads(numbers: Whole, starts: NDArray[np.intp]) -> tuple[Whole, Whole]:
    """Return the numbers at `starts`, and all others."""
    others = np.ones(len(numbers), dtype=np.bool_)
    others[starts] = False
    return numbers[starts], numbers[others]


def _with_heads(heads: Whole, rest: Whole, starts: NDArray[np.intp]) -> Whole:
    count = len(heads) + len(rest)
    others = np.ones(count, dtype=np.bool_)
    others[starts] = False
    joined = np.empty(count, dtype=heads.dtype)
    joined[starts] = heads
    joined[others] = rest
    return joined


def _offsets(numbers: Whole) -> tuple[int, Whole | None]:
    """Return the smallest number, and the distance of each from it in the narrowest dtype, or None where all are 0."""
    if not len(numbers):
        return 0, None
    base, top = int(numbers.min()), int(numbers.max())
    if base == top:
        return base, None
    span = (top - base).bit_length()
    width = next(width for width in WIDTHS if span <= 8 * width)
    wrapping = np.ascontiguousarray(numbers).view(unsigned(numbers.dtype.itemsize))
    return base, (wrapping - _wrapped(base, wrapping.dtype)).astype(unsigned(width))


def _wrapped(number: int, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401  # a numpy scalar of that dtype
    bits = 8 * dtype.itemsize
    return unsigned(dtype.itemsize).type(number & ((1 << bits) - 1)).view(dtype)
