"""Views: rows alone, or with the load's square, or with its memory too; what tells most on rows not learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.context import extend, load_of, longest
from protocols.scoring.crossfit import CrossFit, cross_fit
from protocols.scoring.model import Context
from protocols.scoring.whitening import Whitening, shrunk_covariance, whiten

Floats = NDArray[np.float64]
MEMORY = (5, 20, 80)
"""Rows over which a load may work on: from half a span to beyond the longest, each four of the one before."""
ROWS_A_MEMORY = 20
GAIN = 0.05
"""What a richer view must add to the mean log of what a fault stands out by, to be more than luck of few rows."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at rows: what they are extended by, the fit of all, and how rows look from outside."""

    context: Context | None
    whitening: Whitening
    outside: CrossFit

    @property
    def power(self) -> float:
        """Return the mean log of how many deviations a fault of one unit has in its own channel, on held-out rows."""
        return float(-np.mean(np.log(self.outside.spread * self.whitening.deviations)))


def best_view(scaled: Floats, spans: Sequence[int]) -> View:
    """Return the view of scaled rows (n, channels) in which faults stand out most, the plainest where that is luck."""
    best = _plain(scaled, spans)
    for view in _richer(scaled, spans):
        if view.power > best.power + GAIN:
            best = view
    return best


def _plain(scaled: Floats, spans: Sequence[int]) -> View:
    return View(None, whiten(shrunk_covariance(scaled)), cross_fit(scaled, spans))


def _richer(scaled: Floats, spans: Sequence[int]) -> Iterator[View]:
    n = scaled.shape[1]
    if n < 2:
        return
    load = load_of(scaled)
    for memory in ((), MEMORY) if len(scaled) >= ROWS_A_MEMORY * max(MEMORY) else ((),):
        rows = extend(scaled, load, memory)
        center = rows.mean(axis=0)
        whitening = whiten(shrunk_covariance(rows - center), n)
        own = scaled.T @ scaled / len(scaled)
        context = Context(tuple(load.tolist()), memory, tuple(center[n:].tolist()), tuple(own.ravel().tolist()))
        yield View(context, whitening, cross_fit(rows, spans, n, longest(memory)))
