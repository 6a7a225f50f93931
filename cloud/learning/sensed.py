"""Sensed: readings of sensors, one by one, judged by a detector: of one series each by itself, or of several together.

A detector that learned one series in its own spread takes each sensor in the sensor's: from what is stored of it, else
from the readings sent, else as it learned the sensor's type. A sensor of which nobody knows how it usually is, is not
judged, and that is said.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud.errors import Invalid
from cloud.learning.inference import level_at, scores_of
from cloud.learning.shelf import Ready
from cloud.learning.table import Floats, Table

STANDARDISED = "standardised"
"""What a version's card says of its input where it learned a series in units of its own spread."""
LEAST_STORED, LEAST_SENT = 60, 30
_TAIL = 8
"""Stored readings before those sent, for the lags of the first of them."""
_SMALL = 1e-3


@dataclass(frozen=True, slots=True)
class Sensed:
    """One reading; index: its place among those sent; time_us: None where the sender has no clock."""

    index: int
    sensor_id: str
    sensor_type: str
    value: float
    time_us: int | None = None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Scores in 0..1 by the index of a reading; level: what is beyond it is an anomaly; scales: whence, by sensor."""

    scores: Mapping[int, float]
    level: float
    scales: Mapping[str, str]
    unjudged: Mapping[str, str]

    @property
    def anomalies(self) -> list[int]:
        """Return the places of the anomalies, in order."""
        return sorted(index for index, score in self.scores.items() if score > self.level)


def judge_readings(ready: Ready, readings: Sequence[Sensed], past: Mapping[str, Floats], share: float) -> Verdicts:
    """Return how strange each reading is; share: of normal ones that may be called an anomaly; past: what is stored.

    Raises Invalid for a model that is no detector, or whose columns no sensor has.
    """
    level = level_at(ready.trained, share)
    if len(ready.learned.columns) == 1:
        return _each(ready, readings, past, level)
    return _together(ready, readings, level)


def _each(ready: Ready, readings: Sequence[Sensed], past: Mapping[str, Floats], level: float) -> Verdicts:
    series: dict[str, list[Sensed]] = defaultdict(list)
    for one in readings:
        series[one.sensor_id].append(one)
    scores: dict[int, float] = {}
    scales, unjudged = {}, {}
    for sensor, own in series.items():
        ordered = _in_time(own)
        values = np.array([one.value for one in ordered])
        before = past.get(sensor, np.zeros(0))
        found = _scale(ready, values, before, ordered[0].sensor_type)
        if found is None:
            unjudged[sensor] = f"fewer than {LEAST_STORED} readings stored and {LEAST_SENT} sent; the type is unknown"
            continue
        scales[sensor], center, spread = found
        series_values = (np.concatenate([before[-_TAIL:], values]) - center) / spread
        told = scores_of(ready, Table(ready.learned.columns, series_values[:, None])).score[-len(values) :]
        scores |= dict(zip((one.index for one in ordered), told.tolist(), strict=True))
    return Verdicts(scores, level, scales, unjudged)


def _scale(ready: Ready, values: Floats, before: Floats, sensor_type: str) -> tuple[str, float, float] | None:
    if ready.version.card.get("input") != STANDARDISED:
        return "none", 0.0, 1.0
    if len(before) >= LEAST_STORED:
        return "stored", *usual(before)
    if len(values) >= LEAST_SENT:
        return "sent", *usual(values)
    scales = ready.version.card.get("scales")
    known = scales.get(sensor_type) if isinstance(scales, dict) else None
    return ("model", float(known["center"]), float(known["spread"])) if isinstance(known, dict) else None


def usual(values: Floats) -> tuple[float, float]:
    """Return the middle of values (n,) and their spread: half of what the middle 68 % cover, never 0."""
    low, center, high = np.quantile(values, (0.16, 0.5, 0.84)).tolist()
    return center, max((high - low) / 2, _SMALL * max(abs(center), _SMALL))


def _together(ready: Ready, readings: Sequence[Sensed], level: float) -> Verdicts:
    columns = ready.learned.columns
    rows: dict[int, dict[str, Sensed]] = defaultdict(dict)
    for one in readings:
        if one.time_us is None:
            raise _invalid(one.index, "timestamp", "is needed: the model judges readings of one moment together")
        name = next((name for name in (one.sensor_id, one.sensor_type) if name in columns), None)
        if name is None:
            known = ", ".join(columns[:12])
            raise _invalid(one.index, "sensor_id", f"{one.sensor_id!r:.80} is none of the model's columns: {known}")
        rows[one.time_us][name] = one
    whole = [rows[at] for at in sorted(rows) if len(rows[at]) == len(columns)]
    partial = {f"{at}": "not all columns have a reading" for at in sorted(rows) if len(rows[at]) < len(columns)}
    if not whole:
        return Verdicts({}, level, {}, partial)
    table = Table(columns, np.array([[row[name].value for name in columns] for row in whole]))
    scores = scores_of(ready, table).score
    blamed = ready.trained.explain(ready.with_past(table)).contributions[ready.lookback :]
    worst = [columns[place] for place in np.nan_to_num(blamed).argmax(axis=1).tolist()]
    told = zip(whole, worst, scores.tolist(), strict=True)
    return Verdicts({row[name].index: score for row, name, score in told}, level, {}, partial)


def _in_time(readings: list[Sensed]) -> list[Sensed]:
    if any(one.time_us is None for one in readings):
        return readings
    return sorted(readings, key=lambda one: one.time_us or 0)


def _invalid(index: int, field: str, issue: str) -> Invalid:
    named = f"sensor_readings[{index}].{field}"
    return Invalid(f"{named}: {issue}", code="INVALID_PARAMETERS", details={"field": named, "issue": issue})
