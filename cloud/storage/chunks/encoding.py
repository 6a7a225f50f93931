"""One series' readings <-> bytes: differences of time and of value, decimals as whole numbers, zstd.

Floats are written in the most compact form of `protocols.decimals` that most of them fit; those that do not (NaN,
minus zero, infinity) are kept beside, with their bits. Everything comes back bit for bit.
"""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols import decimals
from protocols.compression import compress, decompress
from protocols.errors import InvalidContent
from protocols.packing import Packed, pack, unpack
from protocols.reading import Kind

_MAX_BYTES = 64 << 20
_MAX_COUNT = 1 << 20
_UNITS_US = (1_000_000, 1000, 1)
_SAMPLE = 64
_MOST = 0.9
"""The share of a sample that must fit a form for it to be chosen."""
_INT64, _UINT64, _UINT8 = np.dtype(np.int64), np.dtype(np.uint64), np.dtype(np.uint8)


class PackedPoints(msgspec.Struct, frozen=True, array_like=True):
    """Readings of one series in order of time.

    unit_us: what the steps of time count; form: how floats are written, -1 for other kinds; first: the first whole
    number; odd, odd_bits: steps between the places of floats that the form does not fit, and their bits.
    """

    count: Annotated[int, msgspec.Meta(ge=1, le=_MAX_COUNT)]
    unit_us: int
    start_us: int
    steps: Packed
    form: int
    first: int
    differences: Packed
    odd: Packed
    odd_count: Annotated[int, msgspec.Meta(ge=0, le=_MAX_COUNT)]
    odd_bits: Packed
    quality: Packed


def encode(kind: Kind, time_us: NDArray[np.int64], bits: NDArray[np.uint64], quality: NDArray[np.uint8]) -> bytes:
    """Return at least one reading of a series, in order of time, as bytes."""
    with np.errstate(all="ignore"):
        form, numbers, odd = _as_whole(bits) if kind == Kind.FLOAT else (-1, bits.view(np.int64), _NONE)
        steps = time_us[1:] - time_us[:-1]
        unit_us = next(unit for unit in _UNITS_US if not (steps % unit).any())
        packed = PackedPoints(
            count=len(time_us),
            unit_us=unit_us,
            start_us=int(time_us[0]),
            steps=pack(steps // unit_us),
            form=form,
            first=int(numbers[0]),
            differences=pack(numbers[1:] - numbers[:-1]),
            odd=pack(np.diff(odd, prepend=0) if len(odd) else odd),
            odd_count=len(odd),
            odd_bits=pack(bits[odd]),
            quality=pack(quality),
        )
    return compress(msgspec.msgpack.encode(packed))


def decode(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint8]]:
    """Return times, bits and qualities, each of shape (n,); raise InvalidContent where the bytes are damaged."""
    try:
        packed = msgspec.msgpack.decode(decompress(data, limit=_MAX_BYTES), type=PackedPoints)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidContent(f"not the readings of a series: {error}") from error
    count = packed.count
    with np.errstate(all="ignore"):
        time_us = _summed(packed.start_us, unpack(packed.steps, count - 1, _INT64), packed.unit_us)
        numbers = _summed(packed.first, unpack(packed.differences, count - 1, _INT64), 1)
        bits = numbers.view(np.uint64) if packed.form < 0 else _as_bits(numbers, packed.form)
    if packed.odd_count:
        odd = np.cumsum(unpack(packed.odd, packed.odd_count, _INT64))
        if not 0 <= odd.min() <= odd.max() < count:
            raise InvalidContent(f"a value beside the others is not among the {count}")
        bits[odd] = unpack(packed.odd_bits, packed.odd_count, _UINT64)
    return time_us, bits, unpack(packed.quality, count, _UINT8)


_NONE = np.empty(0, np.int64)


def _as_whole(bits: NDArray[np.uint64]) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    values = bits.view(np.float64)
    form = _form(values)
    if form == decimals.DOUBLE:
        return form, bits.view(np.int64), _NONE
    numbers = decimals.narrow(values, form)
    odd = np.flatnonzero(~_is_same(numbers, form, bits))
    numbers = numbers.astype(np.int64)
    if len(odd):  # an odd one repeats the number before, so that it costs no difference
        places = np.arange(len(numbers))
        places[odd] = 0
        numbers = numbers[np.maximum.accumulate(places)]
    return form, numbers, odd.astype(np.int64)


def _form(values: NDArray[np.float64]) -> int:
    sample = values[np.isfinite(values)]
    if not len(sample):
        return 0
    sample = sample[:: -(-len(sample) // _SAMPLE)]
    for form in decimals.forms():
        if decimals.is_exact(sample, form).mean() >= _MOST:
            return form
    return decimals.DOUBLE


def _is_same(numbers: NDArray[np.int64], form: int, bits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = decimals.widen(numbers, form).view(np.uint64) == bits
    return same


def _as_bits(numbers: NDArray[np.int64], form: int) -> NDArray[np.uint64]:
    if form == decimals.DOUBLE:
        return numbers.view(np.uint64)
    narrow = numbers.astype(np.uint32) if form == decimals.SINGLE else numbers
    return decimals.widen(narrow, form).view(np.uint64)


def _summed(first: int, steps: NDArray[np.int64], unit: int) -> NDArray[np.int64]:
    summed = np.empty(len(steps) + 1, np.int64)
    summed[0] = first
    if unit == 1:
        summed[1:] = steps
    else:
        np.multiply(steps, unit, out=summed[1:])
    return np.cumsum(summed, out=summed)
