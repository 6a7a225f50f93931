"""RecentAnomalies: what the model of a Device says of its last hour.

Its model is the one that its gateway was told to run; where there is none, one is fitted to the day before as gateways
fit their own, and kept for an hour.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from cloud.analysis.health.energy import held
from cloud.analysis.health.hours import usable
from cloud.analysis.health.sight import ANOMALY_SCORE
from cloud.analysis.statistics import Floats
from cloud.domain.device import Device
from cloud.errors import NotFound
from cloud.ports import Clock, ReadingStore, Series
from cloud.records.database import Records
from cloud.records.models import find_model
from cloud.records.wanted import wanted_of
from protocols.reading import Kind
from protocols.scoring.fit import fit
from protocols.scoring.model import MAX_CHANNELS, Fitted, InvalidRows
from protocols.scoring.networks import FloatNetwork
from protocols.scoring.scorer import Scorer
from protocols.scoring.whitening import residual_layer, spread_of, whitening_of

MOST_SAMPLES = 500
THRESHOLD = 0.5
_SPAN_US = 3_600_000_000
_LEARNED_US = 24 * _SPAN_US
_PERIODS = 3
_KEPT = 256
_NUMERIC = (Kind.FLOAT, Kind.INT, Kind.UINT)


class RowScores(Protocol):
    """Scores (n,) in 0..1, which of them are over the threshold (n,), and the version that said so."""

    @property
    def score(self) -> Floats:
        """Return the scores."""

    @property
    def is_over(self) -> NDArray[np.bool_]:
        """Return which are over the threshold."""

    @property
    def version(self) -> str:
        """Return `name@number`."""


class ScoreRows(Protocol):
    """Asks a Model of ours: columns name those of values (n, k); raises NotFound, Conflict, Invalid, Unavailable."""

    def __call__(
        self, name: str, columns: Sequence[str], values: Floats, *, version: int | None, time_us: NDArray[np.int64]
    ) -> RowScores:
        """Return how strange the rows are."""


@dataclass(frozen=True, slots=True)
class AnomalyEstimate:
    """Of the last rows, the oldest first: which are anomalies, all scores, and when each was.

    model_version: `name@number`, or `own@` and when it was fitted.
    """

    indices: tuple[int, ...]
    scores: tuple[float, ...]
    time_us: tuple[int, ...]
    threshold: float
    model_version: str
    notes: str = ""

    @property
    def percentage(self) -> float:
        """Return the share of anomalies in percent, 0 without any row."""
        return 100.0 * len(self.indices) / len(self.scores) if self.scores else 0.0


class _Rows(NamedTuple):
    tags: tuple[str, ...]
    time_us: NDArray[np.int64]
    values: Floats


class RecentAnomalies:
    """Asked by any thread."""

    def __init__(self, records: Records, clock: Clock, score_rows: ScoreRows) -> None:
        self._records = records
        self._clock = clock
        self._score_rows = score_rows
        self._lock = Lock()
        self._own: OrderedDict[tuple[str, str, int], Fitted | None] = OrderedDict()

    def estimate(self, store: ReadingStore, device: Device) -> AnomalyEstimate | None:
        """Return what the last hour holds, None where no model can be had; raise NotFound without recent readings."""
        series = _channels(store.series(source=device.source, device=device.device_id))
        now_us = self._clock.now_us()
        recent = [one for one in series if len(_points(store, one, now_us - _SPAN_US, now_us)[0])]
        if not recent:
            told = f"device {device.shown_id} has no readings of the last hour"
            raise NotFound(told, code="NO_RECENT_DATA", details={"device_id": device.shown_id})
        with self._records.reading() as session:
            served = _served(session, device)
        if served is not None:
            return self._by_served(store, recent, served, now_us)
        return self._by_own(store, device, recent, now_us)

    def _by_served(
        self, store: ReadingStore, series: Sequence[Series], served: "_Served", now_us: int
    ) -> AnomalyEstimate | None:
        chosen = [one for one in series if not served.channels or one.key.tag in served.channels]
        if not chosen or not {*served.channels} <= {one.key.tag for one in chosen}:
            return None
        period_us = round(served.period_s * 1e6) or _period_us(chosen)
        rows = _rows(store, chosen, now_us - min(_SPAN_US, MOST_SAMPLES * period_us), now_us, period_us)
        if not len(rows.values):
            return None
        found = self._score_rows(served.name, rows.tags, rows.values, version=served.version, time_us=rows.time_us)
        return _estimate(rows, found.score, found.is_over, found.version)

    def _by_own(
        self, store: ReadingStore, device: Device, series: Sequence[Series], now_us: int
    ) -> AnomalyEstimate | None:
        hour_us = now_us // _SPAN_US * _SPAN_US
        fitted = self._fitted(store, device, series, hour_us)
        if fitted is None:
            return None
        channels = [one for one in series if one.key.tag in fitted.scoring.channels]
        if len(channels) < len(fitted.scoring.channels):
            return None
        period_us = round(fitted.scoring.period_s * 1e6)
        lead_us = (max(fitted.scoring.spans) + fitted.scoring.smooth) * period_us
        rows = _rows(store, channels, now_us - _SPAN_US - lead_us, now_us, period_us)
        order = [rows.tags.index(tag) for tag in fitted.scoring.channels]
        layer = residual_layer(whitening_of(fitted.scoring), spread_of(fitted.scoring))
        scored = Scorer(fitted.scoring, FloatNetwork([layer])).take(rows.values[:, order])
        shown = np.isfinite(scored.score) & (rows.time_us > now_us - _SPAN_US)
        shown[: max(0, len(shown) - MOST_SAMPLES)] = False
        kept = _Rows(rows.tags, rows.time_us[shown], rows.values[shown])
        notes = "no model of this device is served: one was fitted to the day before"
        return _estimate(kept, scored.score[shown], scored.is_over[shown], f"own@{hour_us // 1_000_000}", notes)

    def _fitted(self, store: ReadingStore, device: Device, series: Sequence[Series], hour_us: int) -> Fitted | None:
        key = (device.source, device.device_id, hour_us)
        with self._lock:
            if key in self._own:
                return self._own[key]
        period_us = max(_period_us(series), _SPAN_US // MOST_SAMPLES)
        end_us = hour_us - _SPAN_US
        rows = _rows(store, series[:MAX_CHANNELS], end_us - _LEARNED_US, end_us, period_us)
        try:
            found = fit(rows.values, rows.tags, period_s=period_us / 1e6)
        except InvalidRows:
            found = None
        with self._lock:
            self._own[key] = found
            while len(self._own) > _KEPT:
                self._own.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class _Served:
    name: str
    version: int
    channels: tuple[str, ...]
    period_s: float


def _served(session: Session, device: Device) -> _Served | None:
    """Return the Model that this Device's gateway was told to run."""
    models = wanted_of(session, device.source).models if device.source else ()
    named = next((one for one in models if one.device == device.device_id), None)
    model = None if named is None else find_model(session, named.name)
    version = None if model is None or named is None else model.find(named.version)
    if version is None:
        return None
    scoring = version.card.get("scoring")
    told: Mapping[str, object] = scoring if isinstance(scoring, Mapping) else {}
    channels, period_s = told.get("channels"), told.get("period_s")
    return _Served(
        version.model,
        version.version,
        tuple(map(str, channels)) if isinstance(channels, Sequence) else (),
        float(period_s) if isinstance(period_s, int | float) else 0.0,
    )


def _estimate(rows: _Rows, score: Floats, is_over: NDArray[np.bool_], version: str, notes: str = "") -> AnomalyEstimate:
    return AnomalyEstimate(
        indices=tuple(np.flatnonzero(is_over).tolist()),
        scores=tuple(np.round(score, 6).tolist()),
        time_us=tuple(rows.time_us.tolist()),
        threshold=THRESHOLD,
        model_version=version,
        notes=notes,
    )


def _channels(series: Sequence[Series]) -> Sequence[Series]:
    numeric = [one for one in series if one.kind in _NUMERIC and one.key.tag != ANOMALY_SCORE]
    return list({one.key.tag: one for one in numeric}.values())


def _period_us(series: Sequence[Series]) -> int:
    periods = [one.period_s for one in series if one.period_s > 0]
    return max(1, round(max(periods, default=_SPAN_US / MOST_SAMPLES / 1e6) * 1e6))


def _rows(store: ReadingStore, series: Sequence[Series], start_us: int, end_us: int, period_us: int) -> _Rows:
    """Return the complete rows of a grid that ends at end_us: of each Tag what was read last, while it is believed."""
    count = max(0, (end_us - start_us) // period_us)
    grid = end_us - period_us * np.arange(count - 1, -1, -1, dtype=np.int64)
    columns = []
    for one in series:
        longest_us = max(_PERIODS * max(round(one.period_s * 1e6), 1), period_us)
        times, values = _points(store, one, start_us - longest_us, end_us)
        columns.append(held(grid, times, values, longest_us=longest_us))
    values = np.stack(columns, axis=1) if columns else np.zeros((0, 0))
    whole = np.isfinite(values).all(axis=1)
    return _Rows(tuple(one.key.tag for one in series), grid[whole], values[whole])


def _points(store: ReadingStore, series: Series, start_us: int, end_us: int) -> tuple[NDArray[np.int64], Floats]:
    return usable(store.points(series, start_us=max(0, start_us), end_us=end_us + 1, limit=2_000_000))
