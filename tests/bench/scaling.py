"""Measures scaling: `python -m tests.bench.scaling [--report FILE]`.

A fixed day on a virtual clock (`tests.support.load_trace`): two shifts, an outage of half an hour that silences four
fifths of the plant, and the flush of what gateways kept meanwhile at five times the load. Decided with forecasts as the
cloud makes them, with forecasts and an announced `backlog_replay`, and by a plain rule that knows only what is there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cloud.learning.quantiles import fit_quantiles
from tests.bench.measure import Figure, Target, save, say, table
from tests.support.load_trace import (
    DAY_MIN,
    FLUSH,
    OUTAGE,
    Floats,
    Foretelling,
    LookAhead,
    day_of_trouble,
    normal_load,
    play,
    reactive,
)

_DAYS = {"seasonal-naive, 3 days known": 3, "quantile boosting, 21 days known": 21}
_MOST_LAG_S = 5.0


def measure() -> Sequence[Figure]:
    """Return the figures of every rule."""
    days = normal_load(22)
    load = day_of_trouble(days[-DAY_MIN:])
    announced = np.ones(DAY_MIN + 60)
    end = OUTAGE[1] // 60
    announced[end : end + 8] = FLUSH
    found = list(_figures("plain reactive rule", load, reactive))
    for name, known in _DAYS.items():
        history = days[-(known + 1) * DAY_MIN : -DAY_MIN]
        found += _figures(name, load, Foretelling(history, fit_quantiles))
        found += _figures(f"{name}, flush announced", load, Foretelling(history, fit_quantiles, announced))
    return found


def _figures(name: str, load: Floats, look_ahead: LookAhead) -> Sequence[Figure]:
    played = play(load, look_ahead)
    order = np.argsort(played.lag_s)
    share = np.cumsum(load[order]) / load.sum()
    of_messages = float(played.lag_s[order][np.searchsorted(share, 0.95)])
    return [
        Figure(f"{name}: lag, p95 of seconds", played.p95_s, "s", Target(_MOST_LAG_S)),
        Figure(f"{name}: lag, p95 of messages", of_messages, "s"),
        Figure(f"{name}: longest lag", played.worst_s, "s"),
        Figure(f"{name}: seconds with a lag over {_MOST_LAG_S:g} s", float((played.lag_s > _MOST_LAG_S).sum()), "s"),
        Figure(f"{name}: instance-hours", played.instance_hours, "h", note=f"{played.changes} changes"),
    ]


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path)
    wishes = parser.parse_args()
    found = measure()
    say(table("A day with an outage and a flush at five times the load", found))
    if wishes.report:
        save(wishes.report, found)


if __name__ == "__main__":
    main()
