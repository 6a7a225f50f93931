"""Columns of readings to JSON: whole arrays at once, exact, without NaN or infinity."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.ports import Points
from protocols.reading import Kind, Quality

_DAY_US = 86_400_000_000
_DATE = 10
_TIME_FORM = b'"0000-00-00T00:00:00.000000Z",'
_DIGITS = (
    *((place, 10) for place in (26, 25, 24, 23, 22, 21)),
    *((19, 10), (18, 6), (16, 10), (15, 6), (13, 10), (12, 10)),
)
"""Where each digit of a time of day stands, from the last to the first, and its base."""
_WITHOUT_VALUE = np.array([code for code in Quality if not code.has_value], dtype=np.uint8)


def times_json(time_us: NDArray[np.int64]) -> bytes:
    """Return a JSON list of ISO 8601 texts with microseconds; shape (n,).

    Digits are written column by column into one table of bytes, ten times as fast as numpy's own text of a datetime.
    """
    if not len(time_us):
        return b"[]"
    days, which = np.unique(time_us // _DAY_US, return_inverse=True)
    dates = np.datetime_as_string(days.astype("datetime64[D]")).astype(f"S{_DATE}")
    table = np.tile(np.frombuffer(_TIME_FORM, dtype=np.uint8), (len(time_us), 1))
    table[:, 1 : 1 + _DATE] = dates.view(np.uint8).reshape(-1, _DATE)[which]
    rest = time_us % _DAY_US
    for place, base in _DIGITS:
        rest, digit = rest // base, rest % base
        table[:, place] += digit.astype(np.uint8)
    return b"[%b]" % table.tobytes()[:-1]


def values_json(points: Points) -> bytes:
    """Return a JSON list of the values: null where none was read or a float is not finite."""
    values = plain_values(points)
    missing = np.flatnonzero(np.isin(points.quality, _WITHOUT_VALUE))
    for index in missing.tolist():
        values[index] = None
    return msgspec.json.encode(values)


def plain_values(points: Points) -> list[Any]:
    """Return the values as Python has them: int, float, bool or str; encoding turns a NaN into null."""
    match points.kind:
        case Kind.BOOL:
            return list(points.value.astype(bool).tolist())
        case Kind.TEXT:
            return _texts(points.value, points.texts)
        case _:
            return list(points.value.tolist())


def _texts(index: NDArray[Any], texts: Sequence[str]) -> list[Any]:
    return [texts[one] for one in index.tolist()]
