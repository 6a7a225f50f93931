"""Asks for the whole truth and for all that is stored, and says what became of every reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.counting import Count, Kill, Served, Value, count_series
from deploy.fetch import Api, Stored
from deploy.rows import Rows, check_rows, recorded
from firmware_sim.truth import Truth

Series = tuple[str, str]
MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Account:
    """The count in all, and by (machine, tag) where it is not clean."""

    total: Count
    unclean: Mapping[Series, Count]


def made(truth: Truth) -> dict[Series, Served]:
    """Return what every tag served, in sequence."""
    values: dict[Series, tuple[list[Value], list[float]]] = {}
    for answer in truth:
        for tag, value in zip(answer.tags, answer.values, strict=True):
            shown, at = values.setdefault((answer.machine, tag), ([], []))
            shown.append(value)
            at.append(answer.at_us / 1e6)
    return {series: Served(shown, at) for series, (shown, at) in values.items()}


def stored(api: Api, series: Iterable[Series]) -> dict[Series, Stored]:
    """Return what the API gives back for each series."""
    now = datetime.now(UTC)
    start, end = (now - timedelta(days=1)).isoformat(), (now + MARGIN).isoformat()
    return {(device, tag): api.series(device, tag, start=start, end=end) for device, tag in series}


def settle(served: Mapping[Series, Served], found: Mapping[Series, Stored], *, kills: Sequence[Kill] = ()) -> Account:
    """Return the account of all series."""
    counts = {series: count_series(served[series], found[series].read_values(), kills=kills) for series in served}
    total = sum(counts.values(), Count())
    return Account(total, {series: count for series, count in counts.items() if not count.is_clean or count.unsealed})


def rows_of(truth: Truth, found: Mapping[Series, Stored], recording: Path) -> Rows:
    """Return what became of the rows of a recording that a plant of one machine served."""
    (machine,) = truth.headers[-1].machines[:1]
    channels = [found[machine.id, tag.name] for tag in machine.tags if tag.name != machine.counter]
    counter = found[machine.id, machine.counter]
    return check_rows(truth.rows(machine.id), recorded(recording), counter, channels)
