"""How a Device stands, by its silence, its gateway, its health and its alarms; pure."""

from collections.abc import Collection
from dataclasses import dataclass

from cloud.domain.alarm import Severity
from cloud.domain.health import Band, DeviceStatus

_SILENT_INTERVALS = 3
_LEAST_SILENCE_US = 60 * 1_000_000
_GONE_US = 5 * 1_000_000
"""A gateway that is started anew is back within that; readings that came by another way are of these seconds."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Names of the gateways that are there, and of those that are gone, by their own word and the broker's."""

    there: Collection[str] = frozenset()
    gone: Collection[str] = frozenset()


def longest_silence_us(interval_s: float) -> int:
    """Return how long a Device that should speak this often may be silent before it is offline."""
    return max(_SILENT_INTERVALS * round(interval_s * 1e6), _LEAST_SILENCE_US)


def is_offline(silence_us: int | None, *, interval_s: float, source: str, presence: Presence, is_lost: bool) -> bool:
    """Return whether a Device of this source is away; silence_us: None where it never spoke.

    One that reports on change (interval 0) may be silent for as long as its gateway is there and has not lost it. One
    whose gateway is gone is away with it: nobody knows how it is.
    """
    if silence_us is None or (source in presence.gone and silence_us > _GONE_US):
        return True
    may_be_silent = source in presence.there and not interval_s and not is_lost
    return not may_be_silent and silence_us > longest_silence_us(interval_s)


def status_of(*, is_away: bool, band: Band, alarm: Severity | None) -> DeviceStatus:
    """Return the worst of what silence, health score and active alarms say."""
    if is_away:
        return DeviceStatus.OFFLINE
    if band is Band.CRITICAL or alarm is Severity.CRITICAL:
        return DeviceStatus.CRITICAL
    return DeviceStatus.WARNING if band is Band.WARNING or alarm is Severity.WARNING else DeviceStatus.NORMAL
