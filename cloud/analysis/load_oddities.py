"""LoadOddities: tells when the load is not what was foretold for three minutes, as when half of a site goes silent."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from cloud.analysis.event_effects import EventEffects
from cloud.domain.forecast import LEVELS, Forecast, reckoned
from cloud.domain.load import HORIZON_MINUTES, MINUTE_US, Minute, Service
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.forecasts import list_forecasts
from cloud.records.load import load_minutes
from cloud.records.notices import add_notice

FACTOR = 1.5
IN_A_ROW = 3
LEAST_PER_S = 0.1
"""Loads that differ by less than that are no news."""
_NEAR = timedelta(minutes=3)
_SHORT = HORIZON_MINUTES[0]


def is_odd(actual: float, p1: float, p99: float) -> bool:
    """Return whether a load lies outside of [p1 / 1.5, 1.5 p99] by more than a little."""
    return actual < p1 / FACTOR - LEAST_PER_S or actual > p99 * FACTOR + LEAST_PER_S


class LoadOddities:
    """Looks each minute; tells once, and again only after the load was as foretold. For one thread."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._odd: set[Service] = set()

    def look(self) -> None:
        """Tell of every service whose newest minutes are all odd; raise Unavailable."""
        for service in Service:
            self._look(service)

    def _look(self, service: Service) -> None:
        now_us = self._clock.now_us()
        minute = now_us // MINUTE_US
        with self._records.reading() as session:
            minutes = load_minutes(session, service, since=minute - IN_A_ROW, until=minute)
            told = [_told_of(session, service, one) for one in minutes]
        odd = [
            (one, forecast)
            for one, forecast in zip(minutes, told, strict=True)
            if forecast is not None and is_odd(one.per_s, forecast.quantiles[0], forecast.quantiles[-1])
        ]
        if len(odd) < IN_A_ROW:
            self._odd.discard(service)
        elif service not in self._odd:
            self._odd.add(service)
            with self._records.writing() as session:
                add_notice(session, _notice(service, *odd[-1], now_us))


def _told_of(session: Session, service: Service, one: Minute) -> Forecast | None:
    """Return what was foretold of a minute, or of one next to it, with its events; None without a reliable forecast."""
    ends = to_datetime((one.minute + 1) * MINUTE_US)
    found, _ = list_forecasts(session, series=service.series, since=ends - _NEAR, until=ends + _NEAR, limit=50)
    short: Sequence[Forecast] = [each for each in found if each.horizon_minutes == _SHORT]
    if not short:
        return None
    nearest = min(short, key=lambda each: abs(each.target_at - ends))
    if nearest.confidence is None:
        return None
    return reckoned(nearest, EventEffects(session).before(service, ends).multiplier)


def _notice(service: Service, one: Minute, forecast: Forecast, now_us: int) -> NewNotice:
    low, middle, high = (forecast.quantiles[LEVELS.index(level)] for level in (0.01, 0.5, 0.99))
    data: dict[str, object] = {
        "service_name": service.value,
        "actual_value": one.per_s,
        "prediction_p1": low,
        "prediction_p50": middle,
        "prediction_p99": high,
        "since": to_datetime((one.minute - IN_A_ROW + 1) * MINUTE_US).isoformat(),
    }
    return NewNotice(NoticeKind.PREDICTION_ANOMALY, to_datetime(now_us), service.value, data)
