"""What is foretold of a service for the next minutes, with the events that are known now; scaling asks for it."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.analysis.event_effects import EventEffects
from cloud.domain.forecast import LEVELS, reckoned
from cloud.domain.load import HORIZON_MINUTES, Service
from cloud.domain.scaling import Outlook
from cloud.records.forecasts import list_forecasts

_SHORT = HORIZON_MINUTES[0]
_P90, _P99 = LEVELS.index(0.9), LEVELS.index(0.99)


def outlook(session: Session, service: Service, now: datetime) -> Outlook:
    """Return the highest upper quantiles of the forecasts whose time lies in the next 15 minutes."""
    until = now + timedelta(minutes=_SHORT + 1)
    told, _ = list_forecasts(session, series=service.series, since=now, until=until, limit=200)
    short = [one for one in told if one.horizon_minutes == _SHORT]
    if not short:
        return Outlook()
    effects = EventEffects(session)
    found = [(one, effects.before(service, one.target_at)) for one in short]
    quantiles = [reckoned(one, effect.multiplier).quantiles for one, effect in found]
    events = dict.fromkeys(name for _, effect in found for name in effect.events)
    return Outlook(
        p90=max(one[_P90] for one in quantiles),
        p99=max(one[_P99] for one in quantiles),
        confidence=short[0].confidence,
        events=tuple(events),
    )
