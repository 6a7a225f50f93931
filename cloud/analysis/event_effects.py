"""What planned events do to the load of a service: announced, or learned from earlier events of their type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from cloud.analysis.statistics import Floats
from cloud.domain.load import MINUTE_US, Service
from cloud.domain.planned_event import EventType, PlannedEvent, effect, learned_multiplier
from cloud.domain.times import to_datetime, to_us
from cloud.records.planned_events import events_between, past_events, site_share


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much a load is multiplied, and by which events."""

    multiplier: float = 1.0
    events: tuple[str, ...] = ()


class EventEffects:
    """Reads events in one session; remembers what it read, so make one for each look."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._learned: dict[tuple[EventType, Service], float | None] = {}
        self._shares: dict[str, float] = {}

    def before(self, service: Service, at: datetime) -> Effect:
        """Return the effect of all events on the minute that ends then."""
        found = events_between(self._session, at - timedelta(minutes=1), at)
        multipliers = [self.multiplier(one, service) for one in found]
        return Effect(float(np.prod(multipliers)), tuple(f"{one.event_type}_{one.id[-6:]}" for one in found))

    def over(self, service: Service, start: int, count: int) -> Floats:
        """Return by how much each of so many minutes from `start` on was multiplied, (count,)."""
        found = np.ones(count)
        since, until = to_datetime(start * MINUTE_US), to_datetime((start + count) * MINUTE_US)
        for one in events_between(self._session, since, until):
            first = max(0, to_us(one.start_at) // MINUTE_US - start)
            last = min(count, -(-to_us(one.end_at) // MINUTE_US) - start)
            found[first:last] *= self.multiplier(one, service)
        return found

    def multiplier(self, event: PlannedEvent, service: Service) -> float:
        """Return what one event does, or did, to the whole load of a service."""
        own = event.measured.get(service.value) or self._learned_of(event.event_type, service) or event.multiplier
        return effect(own, self.share(event))

    def share(self, event: PlannedEvent) -> float:
        """Return the share of the load that an event is about, 0 to 1."""
        if not event.site:
            return 1.0
        if event.site not in self._shares:
            self._shares[event.site] = site_share(self._session, event.site)
        return self._shares[event.site]

    def _learned_of(self, event_type: EventType, service: Service) -> float | None:
        key = event_type, service
        if key not in self._learned:
            self._learned[key] = learned_multiplier(past_events(self._session, event_type), service.value)
        return self._learned[key]


def measured_effect(ratios: Sequence[float], share: float) -> float | None:
    """Return the multiplier that ratios of load to base (positive) speak of; None where they are too few."""
    if len(ratios) < _LEAST_RATIOS or share <= 0:
        return None
    found = 1.0 + (float(np.median(ratios)) - 1.0) / share
    return float(np.clip(found, *_BOUNDS))


_LEAST_RATIOS = 3
_BOUNDS = (0.01, 100.0)
