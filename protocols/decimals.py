"""Floats as whole numbers, where that loses no bit: decimals such as 25.3 as 253, float32 as its bits.

Sensors speak in decimals: 25.3 takes 52 bits of noise as a float64 and two bytes as tenths. A form is one such way of
writing; `narrow` and `widen` are inverse for the values that `is_exact` admits. Values that do not fit a form overflow
on purpose: callers keep numpy quiet with `np.errstate`, once for a whole block, since entering it is not free.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.errors import InvalidContent

Floats = NDArray[np.float64]

MAX_PLACES = 6
_SINGLE_DECIMALS = 8
SINGLE = 16
DOUBLE = 17
SINGLE_DIGITS = 1 << 24
"""A float32 has no more than 24 bits: a decimal with more would take more room than the float32 itself."""


def forms() -> list[int]:
    """Return every form, most compact first: decimals with 0..6 places as float64, as float32, float32, float64."""
    places = range(MAX_PLACES + 1)
    return [*places, *(_SINGLE_DECIMALS + place for place in places), SINGLE, DOUBLE]


def form_dtype(form: int) -> np.dtype[Any]:
    """Return the dtype of whole numbers of this form; raise InvalidContent for a form that does not exist."""
    if form not in forms():
        raise InvalidContent(f"{form} is no way of writing floats")
    return np.dtype({SINGLE: np.uint32, DOUBLE: np.uint64}.get(form, np.int64))


def narrow(values: Floats, form: int) -> NDArray[Any]:
    """Return floats as whole numbers of this form; what does not fit comes out as some other number."""
    if form == DOUBLE:
        return values.view(np.uint64)
    if form == SINGLE:
        return values.astype(np.float32).view(np.uint32)
    return np.rint(values * 10.0 ** (form % _SINGLE_DECIMALS)).astype(np.int64)


def widen(numbers: NDArray[Any], form: int) -> Floats:
    """Return the floats behind whole numbers of this form."""
    if form == DOUBLE:
        return numbers.view(np.float64)
    if form == SINGLE:
        return numbers.view(np.float32).astype(np.float64)
    values: Floats = numbers / 10.0 ** (form % _SINGLE_DECIMALS)
    return values.astype(np.float32).astype(np.float64) if form >= _SINGLE_DECIMALS else values


def is_exact(values: Floats, form: int) -> NDArray[np.bool_]:
    """Return for each float whether this form gives back the same bits."""
    numbers = narrow(values, form)
    same: NDArray[np.bool_] = widen(numbers, form).view(np.uint64) == values.view(np.uint64)
    if _SINGLE_DECIMALS <= form < SINGLE:
        same &= np.abs(numbers) < SINGLE_DIGITS
    return same


def choose(values: Floats, starts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return for each series (they begin at `starts`) the most compact form that is exact for all of its values."""
    chosen = np.full(len(starts), DOUBLE, dtype=np.uint8)
    lengths = np.diff(starts, append=len(values))
    heads = values[starts]
    undecided = np.ones(len(starts), dtype=np.bool_)
    for form in forms():
        likely = undecided & is_exact(heads, form)
        if form != DOUBLE and likely.any():
            fits = _fits_all(values, lengths, likely, form)
            chosen[fits] = form
            undecided[fits] = False
            if not undecided.any():
                break
    return chosen


def _fits_all(values: Floats, lengths: NDArray[np.intp], likely: NDArray[np.bool_], form: int) -> NDArray[np.intp]:
    candidates = np.flatnonzero(likely)
    rows = values if len(candidates) == len(lengths) else values[np.repeat(likely, lengths)]
    starts = np.cumsum(lengths[candidates]) - lengths[candidates]
    return candidates[np.logical_and.reduceat(is_exact(rows, form), starts)]
