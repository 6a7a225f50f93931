"""How a Device stands, by its silence, its health and its alarms; pure."""

from cloud.domain.alarm import Severity
from cloud.domain.health import Band, DeviceStatus

_SILENT_INTERVALS = 3
_LEAST_SILENCE_US = 60 * 1_000_000


def longest_silence_us(interval_s: float) -> int:
    """Return how long a Device that should speak this often may be silent before it is offline."""
    return max(_SILENT_INTERVALS * round(interval_s * 1e6), _LEAST_SILENCE_US)


def is_offline(silence_us: int | None, *, interval_s: float, is_vouched_for: bool, is_lost: bool) -> bool:
    """Return whether a Device is away; silence_us: None where it never spoke.

    One that reports on change (interval 0) may be silent for as long as its gateway is there and has not lost it.
    """
    if silence_us is None:
        return True
    may_be_silent = is_vouched_for and not interval_s and not is_lost
    return not may_be_silent and silence_us > longest_silence_us(interval_s)


def status_of(*, is_away: bool, band: Band, alarm: Severity | None) -> DeviceStatus:
    """Return the worst of what silence, health score and active alarms say."""
    if is_away:
        return DeviceStatus.OFFLINE
    if band is Band.CRITICAL or alarm is Severity.CRITICAL:
        return DeviceStatus.CRITICAL
    return DeviceStatus.WARNING if band is Band.WARNING or alarm is Severity.WARNING else DeviceStatus.NORMAL
