"""Situations: what is known of a service at this moment, as scaling decides by it and as people are shown it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.load import MINUTE_US, POOLS, Minute, Service
from cloud.domain.pools import Executor
from cloud.domain.scaling import Bounds, Outlook, Situation
from cloud.domain.times import to_us
from cloud.operations.host import HostLoad
from cloud.records.load import capacity_of, load_minutes
from cloud.records.scaling import Wanted

LookAhead = Callable[[Session, Service, datetime], Outlook]
"""What is foretold of a service: given by wiring."""
_LEAST_WATCHED_S = 5.0
_NEWEST_MINUTES = 3


class Situations:
    """Reads; any thread."""

    def __init__(
        self,
        bounds: Mapping[Service, Bounds],
        executor: Executor,
        look_ahead: LookAhead,
        host: Callable[[], HostLoad],
    ) -> None:
        self._bounds = bounds
        self._executor = executor
        self._look_ahead = look_ahead
        self.host = host

    def bounds(self, service: Service) -> Bounds:
        """Return how many instances a service may have."""
        return self._bounds[service]

    def wanted(self, known: Mapping[Service, Wanted], service: Service) -> Wanted:
        """Return what is wanted of a service; the least where nobody ever said anything."""
        return known.get(service) or Wanted(service, self._bounds[service].least)

    def alive(self, service: Service) -> int | None:
        """Return how many processes do the work of a service, None where nobody can tell."""
        pool = self._executor.running().get(POOLS[service])
        return None if pool is None else pool.alive

    def of(self, session: Session, wanted: Wanted, now: datetime) -> Situation:
        """Return what is known now of a service of which so much is wanted."""
        service = wanted.service
        ahead = self._look_ahead(session, service, now)
        return Situation(
            service=service,
            at=now,
            current=wanted.instances,
            bounds=self._bounds[service],
            capacity=capacity_of(session, service),
            observed=_newest(self.minutes(session, service, now)),
            p90=ahead.p90,
            p99=ahead.p99,
            cpu=self.host().cpu,
            changed_at=wanted.changed_at,
            held_until=wanted.held_until,
            small_since=wanted.small_since,
            confidence=ahead.confidence,
            events=ahead.events,
        )

    def minutes(self, session: Session, service: Service, now: datetime) -> list[Minute]:
        """Return the newest minutes of a service that were watched for long enough to say something."""
        minute = to_us(now) // MINUTE_US
        found = load_minutes(session, service, since=minute - _NEWEST_MINUTES + 1, until=minute + 1)
        return [one for one in found if one.seconds >= _LEAST_WATCHED_S]


def _newest(minutes: list[Minute]) -> float:
    return minutes[-1].per_s if minutes else 0.0


def counts_of(wanted: Mapping[Service, int]) -> dict[str, int]:
    """Return how many processes each pool needs so that every service has what is wanted of it."""
    counts: dict[str, int] = {}
    for service, instances in wanted.items():
        counts[POOLS[service]] = max(counts.get(POOLS[service], 1), instances)
    return counts
