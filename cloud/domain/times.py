"""Microseconds since the epoch to aware datetimes and to text, and back."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_datetime(time_us: int) -> datetime:
    """Return the aware UTC datetime of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=time_us)


def to_us(at: datetime) -> int:
    """Return microseconds since the epoch of an aware datetime, exactly."""
    return (at - EPOCH) // _MICROSECOND


def to_text(time_us: int) -> str:
    """Return ISO 8601 with microseconds only where there are some, such as `2025-06-11T10:30:00Z`."""
    return to_datetime(time_us).isoformat().replace("+00:00", "Z")
