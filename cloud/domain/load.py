"""Load: the services that scale, and how much each had to do, minute by minute; pure."""

from dataclasses import dataclass
from enum import StrEnum

from cloud.ports import SeriesKey

SOURCE = "@services"
"""The source under which forecasts of services are kept; no gateway can bear this name."""
MINUTE_US = 60_000_000
HORIZON_MINUTES = (15, 60, 1440)
SMOOTHING = 0.3
"""The weight of the newest measurement in a capacity."""
LEAST_LAGGING_S = 5.0
"""A minute with less lag than that says nothing about how much can be done."""


class Service(StrEnum):
    """What scales."""

    INGEST = "ingest"
    INFERENCE = "inference"
    JOBS = "jobs"
    API = "api"

    @property
    def series(self) -> SeriesKey:
        """Return the key of its load series among forecasts."""
        return SeriesKey(SOURCE, self.value, "messages_per_s")


@dataclass(frozen=True, slots=True)
class LoadBin:
    """One minute of one instance: what arrived, and how far behind it was.

    minute: since the epoch; seconds: of the minute that were watched; lagging_s: those of them in which something
    waited, summed over the processes that share the work; done_while_lagging: messages finished in them; lag_s: the
    longest that anything waited; online: how many Devices sent something lately.
    """

    service: Service
    minute: int
    instance: str
    messages: int = 0
    readings: int = 0
    seconds: float = 0.0
    lagging_s: float = 0.0
    done_while_lagging: int = 0
    lag_s: float = 0.0
    online: int = 0

    @property
    def capacity_per_s(self) -> float | None:
        """Return what one instance could do each second; None where it was not put to the test."""
        if self.lagging_s < LEAST_LAGGING_S or not self.done_while_lagging:
            return None
        return self.done_while_lagging / self.lagging_s


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute of a service, all its instances together; per_s: messages a second; seconds: that were watched of it."""

    minute: int
    per_s: float
    readings_per_s: float
    lag_s: float
    instances: int
    online: int = 0
    seconds: float = 60.0


POOLS = {Service.INGEST: "ingest", Service.INFERENCE: "api", Service.JOBS: "jobs", Service.API: "api"}
"""Whose processes do the work of a service: models are run by the api processes."""


def smoothed(before: float | None, measured: float) -> float:
    """Return a capacity with a new measurement in it."""
    return measured if before is None else before + SMOOTHING * (measured - before)


def is_service(name: str) -> bool:
    """Return whether a service has this name."""
    return name in frozenset(Service)
