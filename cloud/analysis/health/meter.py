"""The energy that a Device used today, kept up from the readings that came since the last look."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cloud.analysis.health.energy import COUNTERS, POWERS, Times, counted, electric_power, held, integrated
from cloud.analysis.health.hours import usable
from cloud.analysis.health.sight import Case
from cloud.analysis.statistics import Floats
from cloud.ports import ReadingStore, Series

_MOST_ROWS = 4_000_000
_PERIODS = 3
_ON_CHANGE_US = 15 * 60_000_000
"""A power that is told on change is believed for so long."""


class EnergySource(StrEnum):
    """What the energy is known from."""

    NONE = "none"
    COUNTER = "counter"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Meter:
    """kWh since the beginning of the plant's day, by readings up to upto_us; day_us: when that day began."""

    kwh: float = 0.0
    upto_us: int = 0
    day_us: int = 0
    source: EnergySource = EnergySource.NONE

    def facts(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {"kwh": self.kwh, "upto_us": self.upto_us, "day_us": self.day_us, "source": self.source.value}

    @classmethod
    def of_facts(cls, facts: Mapping[str, object]) -> "Meter":
        """Return the meter of such facts, a new one where there are none."""
        if not facts:
            return cls()
        numbers = (float(str(facts["kwh"])), int(str(facts["upto_us"])), int(str(facts["day_us"])))
        return cls(*numbers, EnergySource(str(facts["source"])))


def read_meter(store: ReadingStore, case: Case, before: Meter, *, now_us: int, day_us: int) -> Meter:
    """Return the meter with what was read since; its kWh begin anew with the day."""
    by_tag = {one.key.tag: one for one in case.numeric}
    counter, scale = _counter(case, by_tag)
    power = () if counter is not None else _power(case, by_tag)
    if counter is None and not power:
        return Meter(day_us=day_us)
    is_same_day = before.day_us == day_us
    kwh = before.kwh if is_same_day else 0.0
    start_us = max(before.upto_us, day_us)
    if counter is not None:
        times, values = _read(store, counter, start_us, now_us)
        kwh += counted(values) * scale
        return Meter(kwh, int(times[-1]) if len(times) else start_us, day_us, EnergySource.COUNTER)
    times, kilowatts, longest_us = _kilowatts(store, case, power, start_us, now_us)
    kwh += integrated(times, kilowatts, longest_us=longest_us)
    return Meter(kwh, int(times[-1]) if len(times) else start_us, day_us, EnergySource.POWER)


def _counter(case: Case, by_tag: Mapping[str, Series]) -> tuple[Series | None, float]:
    told = case.facts.energy
    if told.counter:
        found = by_tag.get(told.counter)
        return found, COUNTERS.get(found.unit, 1.0) if found is not None else 1.0
    if told.is_set:
        return None, 1.0
    found = next((one for one in by_tag.values() if one.unit in COUNTERS), None)
    return found, COUNTERS[found.unit] if found is not None else 1.0


def _power(case: Case, by_tag: Mapping[str, Series]) -> tuple[Series, ...]:
    """Return the one channel of a power, or voltage and current with the power factor where there is one."""
    told = case.facts.energy
    if told.power or not told.is_set:
        named = by_tag.get(told.power) if told.power else None
        found = named or next((one for one in by_tag.values() if one.unit in POWERS and not told.is_set), None)
        return () if found is None else (found,)
    tags = [told.voltage, told.current, *([told.power_factor] if told.power_factor else [])]
    channels = tuple(by_tag[tag] for tag in tags if tag in by_tag)
    return channels if len(channels) == len(tags) else ()


def _kilowatts(
    store: ReadingStore, case: Case, channels: tuple[Series, ...], start_us: int, now_us: int
) -> tuple[Times, Floats, int]:
    longest_us = _longest_us(channels[0])
    times, values = _read(store, channels[0], start_us, now_us)
    if len(channels) == 1:
        return times, values * POWERS.get(channels[0].unit, 1.0), longest_us
    others = []
    for other in channels[1:]:
        at_us, found = _read(store, other, start_us - _longest_us(other), now_us)
        others.append(held(times, at_us, found, longest_us=_longest_us(other)))
    factor = others[1] if len(others) > 1 else np.ones(len(times))
    kilowatts = electric_power(values, others[0], factor, phases=case.facts.energy.phases)
    known = np.isfinite(kilowatts)
    return times[known], kilowatts[known], longest_us


def _longest_us(series: Series) -> int:
    return round(_PERIODS * series.period_s * 1e6) or _ON_CHANGE_US


def _read(store: ReadingStore, series: Series, start_us: int, now_us: int) -> tuple[Times, Floats]:
    return usable(store.points(series, start_us=max(0, start_us), end_us=now_us + 1, limit=_MOST_ROWS))
