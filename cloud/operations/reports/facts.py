"""Facts: what every kind of report may look at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.device import Device
from cloud.domain.forecast import Forecast
from cloud.domain.report import ReportRequest
from cloud.operations.gateway_events import GatewayFacts
from cloud.ports import StoreFigures
from cloud.records.devices import list_devices


@dataclass(frozen=True, slots=True)
class Plant:
    """What is known outside of the records, and what other stages compute from them.

    gateways, store: raise Unavailable where the readings are away; health: of the whole plant in percent, None where
    nothing is measured; accuracy: figures of matured forecasts by name.
    """

    gateways: Callable[[], Sequence[GatewayFacts]]
    store: Callable[[], StoreFigures]
    health: Callable[[Session, datetime], int | None]
    accuracy: Callable[[Sequence[Forecast]], Mapping[str, float | None]]


@dataclass(frozen=True, slots=True)
class Facts:
    """One reading session, what is asked for, and the plant."""

    session: Session
    request: ReportRequest
    plant: Plant
    now: datetime
    devices: Mapping[tuple[str, str], Device]

    @classmethod
    def seen(cls, session: Session, request: ReportRequest, plant: Plant, now: datetime) -> "Facts":
        """Return them with the devices of this moment."""
        devices = {(one.source, one.device_id): one for one in list_devices(session)}
        return cls(session, request, plant, now, devices)

    def name(self, source: str, device: str) -> str:
        """Return how people call a Device, or a gateway where there is no Device."""
        found = self.devices.get((source, device))
        return found.shown_id if found is not None else device or source

    def is_wanted(self, source: str, device: str) -> bool:
        """Return whether the report is about this Device."""
        request = self.request
        is_gateway = not request.gateway or source == request.gateway
        return is_gateway and (not request.device or self.name(source, device) == request.device)


def ranked(counts: Mapping[str, int], top: int) -> tuple[tuple[str, int], ...]:
    """Return the names that count most, equal ones in the order of their names."""
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:top])


def rounded(value: float | None, digits: int = 3) -> float | None:
    """Return a number as reports show it."""
    return None if value is None else round(value, digits)


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the value at or under which this share of the values lies (nearest rank), None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
