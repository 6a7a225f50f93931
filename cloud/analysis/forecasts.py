"""Forecasts: what was foretold and how well, from the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from cloud.analysis.accuracy import Accuracy, measure
from cloud.analysis.event_effects import EventEffects
from cloud.domain.forecast import Forecast, reckoned
from cloud.domain.load import SOURCE, Service
from cloud.domain.times import to_datetime
from cloud.ports import Clock, SeriesKey
from cloud.records.database import Records
from cloud.records.forecasts import list_forecasts, newest_forecasts

_MOST_MEASURED = 50_000


class Term(StrEnum):
    """How far ahead, in the words of the API."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


TERM_MINUTES = {Term.SHORT: 15, Term.MEDIUM: 60, Term.LONG: 1440}


def term_of(horizon_minutes: int) -> Term:
    """Return the nearest word for a horizon: short below 60 minutes, long from a day on."""
    if horizon_minutes < TERM_MINUTES[Term.MEDIUM]:
        return Term.SHORT
    return Term.LONG if horizon_minutes >= TERM_MINUTES[Term.LONG] else Term.MEDIUM


@dataclass(frozen=True, slots=True)
class Told:
    """Past forecasts, how many there are in all, and the figures of those shown that have matured."""

    forecasts: Sequence[Forecast]
    total: int
    accuracy: Accuracy


def reckoned_now(session: Session, forecast: Forecast) -> Forecast:
    """Return a forecast of a service with the events that are known now; that of a Tag as it is."""
    if forecast.series.source != SOURCE:
        return forecast
    effect = EventEffects(session).before(Service(forecast.series.device), forecast.target_at)
    return reckoned(forecast, effect.multiplier)


class Forecasts:
    """Reads what the worker foretold; any thread."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def current(self, *, series: SeriesKey | None = None, term: Term | None = None) -> Sequence[Forecast]:
        """Return the newest Forecast of each series and horizon."""
        with self._records.reading() as session:
            found = [reckoned_now(session, one) for one in newest_forecasts(session, series=series)]
        return [one for one in found if term is None or term_of(one.horizon_minutes) is term]

    def told(
        self, *, series: SeriesKey | None = None, since: datetime | None, until: datetime | None, limit: int
    ) -> Told:
        """Return past forecasts, the newest first, with their actual values where those are known."""
        with self._records.reading() as session:
            found, total = list_forecasts(session, series=series, since=since, until=until, limit=limit)
        return Told(found, total, measure(found))

    def accuracy(self, window: timedelta, *, series: SeriesKey | None = None) -> dict[int, Accuracy]:
        """Return the figures by horizon in minutes of what matured within the window."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            found, _ = list_forecasts(session, series=series, since=now - window, until=now, limit=_MOST_MEASURED)
        by_horizon: dict[int, list[Forecast]] = {}
        for one in found:
            by_horizon.setdefault(one.horizon_minutes, []).append(one)
        return {horizon: measure(each) for horizon, each in sorted(by_horizon.items())}
