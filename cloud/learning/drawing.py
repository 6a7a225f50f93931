"""Drawing: stored readings of Devices become rows at one period, as a gateway sees them: the last value of each Tag.

A value is held while it may be believed: as long as three periods of its own Tag, or until the next one where the Tag
tells changes only; a bad reading ends it. What is missing stays NaN and is never filled in.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.domain.label import Label, Verdict
from cloud.errors import Invalid, NotFound
from cloud.ports import Points, ReadingStore, Series
from protocols.reading import SEVERITY_MASK, Kind, Quality

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
SCORE_TAG = "anomaly_score"
"""What gateways send of their judgement: no sensor's value, so nothing is learned from it."""
_HELD_PERIODS = 3
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows: start_us < time <= end_us of Devices (source, id), and of which Tags; period_s 0: their own.

    tags: all that are numbers where none is named, or only floats, which are what gateways judge; page: readings of a
    Tag that are read at once.
    """

    devices: tuple[tuple[str, str], ...]
    start_us: int
    end_us: int
    tags: tuple[str, ...] = ()
    period_s: float = 0.0
    max_rows: int = 2_000_000
    page: int = 200_000
    only_floats: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Rows of Devices one after the other, in order of time: values (n, tags) with NaN; device (n,): which of them."""

    devices: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    period_s: float
    time_us: Times
    values: Floats
    device: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_us)

    def take(self, keep: NDArray[np.bool_]) -> "Drawn":
        """Return the rows of a mask, shape (n,)."""
        return Drawn(self.devices, self.tags, self.period_s, self.time_us[keep], self.values[keep], self.device[keep])

    def select(self, tags: Sequence[str]) -> "Drawn":
        """Return the rows with these Tags alone, in this order; raise Invalid naming one that is missing."""
        missing = [tag for tag in tags if tag not in self.tags]
        if missing:
            raise _invalid("tags", f"there is no Tag {missing[0]!r} among {', '.join(self.tags)}")
        values = self.values[:, [self.tags.index(tag) for tag in tags]]
        return Drawn(self.devices, tuple(tags), self.period_s, self.time_us, values, self.device)

    def complete(self) -> "Drawn":
        """Return the rows that lack nothing."""
        return self.take(np.asarray(~np.isnan(self.values).any(axis=1)))

    def within(self, labels: Iterable[Label], verdict: Verdict, *, after_us: int = 0) -> NDArray[np.bool_]:
        """Return which rows lie in a label of this verdict, or so little after one; shape (n,)."""
        found = np.zeros(len(self), np.bool_)
        for label in labels:
            if label.verdict is verdict and (label.source, label.device) in self.devices:
                is_device = self.device == self.devices.index((label.source, label.device))
                found |= is_device & (self.time_us >= label.from_us) & (self.time_us < label.to_us + after_us)
        return found


def draw_rows(store: ReadingStore, wish: Wish, note: Callable[[float], None] = lambda _: None) -> Drawn:
    """Return the rows of a wish; note is told the share done. Raise NotFound, or Invalid that names the field."""
    if wish.end_us <= wish.start_us:
        raise _invalid("end", "must be after start")
    series = [_series_of(store, device, wish.tags) for device in wish.devices]
    tags = wish.tags or _shared_tags(series, only_floats=wish.only_floats)
    period_s = wish.period_s or _period_of([one for part in series for one in part if one.key.tag in tags])
    slots = int((wish.end_us - wish.start_us) / (period_s * 1e6))
    if slots * len(wish.devices) > wish.max_rows:
        told = f"{slots * len(wish.devices):,} rows of {period_s:g} s are over {wish.max_rows:,}; take a longer one"
        raise _invalid("period_s", told)
    grid = _Grid(wish.start_us, max(1, round(period_s * 1e6)), slots, wish.page)
    parts = []
    for number, (name, found) in enumerate(zip(wish.devices, series, strict=True)):
        parts.append(_device_rows(store, name, {one.key.tag: one for one in found}, tags, grid))
        note((number + 1) / len(wish.devices))
    device = np.repeat(np.arange(len(parts)), [len(time_us) for time_us, _ in parts])
    return Drawn(
        wish.devices,
        tuple(tags),
        period_s,
        np.concatenate([time_us for time_us, _ in parts]),
        np.concatenate([values for _, values in parts]),
        device,
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """The ends of the slots in which values are looked for; page: readings that are read at once."""

    start_us: int
    step_us: int
    slots: int
    page: int

    def ends(self) -> Times:
        """Return the time of each slot's row."""
        return self.start_us + self.step_us * np.arange(1, self.slots + 1, dtype=np.int64)

    def slot_of(self, time_us: Times) -> NDArray[np.int64]:
        """Return the slot that a time is in: the end belongs to it, the start does not."""
        return -(-(time_us - self.start_us) // self.step_us) - 1


def _device_rows(
    store: ReadingStore, device: tuple[str, str], series: dict[str, Series], tags: Sequence[str], grid: _Grid
) -> tuple[Times, Floats]:
    missing = [tag for tag in tags if tag not in series]
    if missing:
        known = ", ".join(sorted(series)) or "none"
        raise _invalid("tags", f"{device[1]} has no numbers called {', '.join(missing)}; it has {known}")
    values = np.column_stack([_column(store, series[tag], grid) for tag in tags])
    known_rows = ~np.isnan(values).all(axis=1)
    return grid.ends()[known_rows], values[known_rows]


def _column(store: ReadingStore, series: Series, grid: _Grid) -> Floats:
    """Return the last value of each slot, held while it may be believed, shape (slots,)."""
    values, times = np.full(grid.slots, np.nan), np.full(grid.slots, _NEVER, np.int64)
    begin_us, end_us = grid.start_us + 1, grid.start_us + grid.slots * grid.step_us + 1
    while begin_us < end_us:
        points = store.points(series, start_us=begin_us, end_us=end_us, limit=grid.page)
        if not len(points.time_us):
            break
        slots = grid.slot_of(points.time_us)
        last = np.flatnonzero(np.diff(slots, append=slots[-1] + 1))
        values[slots[last]], times[slots[last]] = _believed(points)[last], points.time_us[last]
        begin_us = int(points.time_us[-1]) + 1
    return _held(values, times, grid, series.period_s)


def _held(values: Floats, times: Times, grid: _Grid, period_s: float) -> Floats:
    newest = np.maximum.accumulate(np.where(times == _NEVER, -1, np.arange(grid.slots)))
    held = np.where(newest >= 0, values[np.maximum(newest, 0)], np.nan)
    if period_s <= 0:
        return held
    age_us = grid.ends() - times[np.maximum(newest, 0)]
    return np.where(age_us <= max(_HELD_PERIODS * period_s * 1e6, grid.step_us), held, np.nan)


def _believed(points: Points) -> Floats:
    values = points.value.astype(np.float64)
    is_good = (points.quality & SEVERITY_MASK != Quality.BAD) & np.isfinite(values)
    return np.where(is_good, values, np.nan)


def _series_of(store: ReadingStore, device: tuple[str, str], tags: Sequence[str]) -> list[Series]:
    """Return the series of numbers of a Device, of each Tag the newest kind."""
    source, name = device
    found = store.series(source=source, device=name)
    if not found:
        raise NotFound(f"there are no readings of {name!r} of {source!r}", code="DEVICE_NOT_FOUND")
    numbers = {one.key.tag: one for one in found if one.kind is not Kind.TEXT and one.key.tag != SCORE_TAG}
    return [one for one in numbers.values() if not tags or one.key.tag in tags]


def _shared_tags(series: Sequence[Sequence[Series]], *, only_floats: bool) -> tuple[str, ...]:
    names = [[one.key.tag for one in part if one.kind is Kind.FLOAT or not only_floats] for part in series]
    shared = tuple(tag for tag in (names[0] if names else ()) if all(tag in part for part in names))
    if not shared:
        raise _invalid("tags", f"the devices have no Tag of {'floats' if only_floats else 'numbers'} in common")
    return shared


def _period_of(series: Sequence[Series]) -> float:
    """Return the period of the Tags that come most often, a second where all tell changes only."""
    return min((one.period_s for one in series if one.period_s > 0), default=1.0)


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_DATASET", details={"field": name, "issue": issue})
