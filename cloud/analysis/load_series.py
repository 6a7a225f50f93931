"""The load of a service as a series of minutes: without what events did to it, and what is known of it at a moment.

The base never contains an event: its minutes are those of the day before, or what came divided by what the event was
said to do. So what is foretold from it can be multiplied by the events of the time that is foretold, and none of them
counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.series import Origins, bridged, scales
from cloud.analysis.statistics import Floats
from cloud.domain.load import Minute

DAY = 1440
WEEK = 7 * DAY
HISTORY_NEEDED = WEEK + DAY
"""How many minutes before an origin features look back."""
_LAGS = (5, 15, 60)
_MOST_BRIDGED = 5
_NO_EFFECT = 1e-9
NAMES = (
    "lag_1",
    *(f"lag_{lag}" for lag in _LAGS),
    "lag_1440",
    "lag_10080",
    "same_change_1440",
    "same_change_10080",
    "mean_60",
    "hour_of_day_sin",
    "hour_of_day_cos",
    "day_of_week",
    "online_devices",
)


@dataclass(frozen=True, slots=True, eq=False)
class LoadGrid:
    """Messages a second of each minute, (m,), NaN where nobody looked, and Devices online; start: minute of [0]."""

    per_s: Floats
    online: Floats
    start: int

    @property
    def end(self) -> int:
        """Return the first minute that is not known."""
        return self.start + len(self.per_s)


def grid_of(minutes: Sequence[Minute], *, until: int) -> LoadGrid:
    """Return the minutes, in order, as a grid that ends before `until`; short gaps hold the value before them."""
    known = [one for one in minutes if one.minute < until]
    start = known[0].minute if known else until
    per_s, online = np.full(until - start, np.nan), np.zeros(until - start)
    at = np.array([one.minute - start for one in known], np.int64)
    per_s[at] = [one.per_s for one in known]
    online[at] = [one.online for one in known]
    return LoadGrid(bridged(per_s, most=_MOST_BRIDGED), online, start)


def without_events(values: Floats, effect: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the base of a load, (m,), and which minutes had an event; effect: by how much each was multiplied."""
    marked = np.abs(effect - 1.0) > _NO_EFFECT
    if not marked.any():
        return values, marked
    base = np.where(marked, np.nan, values)
    for begin in range(DAY, len(base), DAY):
        now, before = base[begin : begin + DAY], base[begin - DAY : begin]
        hidden = marked[begin : begin + DAY]
        now[hidden] = before[: len(now)][hidden]
    return np.where(marked & np.isnan(base), values / effect, base), marked


def features(base: Floats, online: Floats, origins: Origins, horizon: int, *, start: int) -> Floats:
    """Return what is known before each origin of the minute `horizon` after the last known one: (n, 13).

    base: (m,) without events; origins: positions of the first unknown minute, (n,), each at least HISTORY_NEEDED.
    """
    last = base[origins - 1]
    scale = scales(base, origins, day=DAY)
    ahead = (horizon - 1) % DAY
    day, week = origins + ahead - DAY, origins + (horizon - 1) % WEEK - WEEK
    # The same minute of earlier days, and how it went on from then until the target.
    changes = (base[day] - base[origins - 1 - DAY * -(-horizon // DAY)], base[week] - base[origins - 1 - WEEK])
    hour = base[origins[:, None] - np.arange(1, 61)].mean(axis=1)
    moved = (*(base[origins - lag] - last for lag in _LAGS), base[day] - last, base[week] - last, *changes, hour - last)
    minute = start + origins + horizon - 1
    clock = 2 * np.pi * (minute % DAY) / DAY
    weekday = (minute // DAY + 4) % 7  # the epoch began on a Thursday
    columns = (last / scale, *(one / scale for one in moved), np.sin(clock), np.cos(clock), weekday)
    return np.stack([*columns, online[origins - 1]], axis=1)


def targets(base: Floats, origins: Origins, horizon: int) -> Floats:
    """Return what is learned: the change from the last known minute in units of the scatter of a day, (n,)."""
    changed: Floats = (base[origins + horizon - 1] - base[origins - 1]) / scales(base, origins, day=DAY)
    return changed
