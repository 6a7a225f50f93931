"""Microseconds since the epoch to aware datetimes and to text, and back."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN_EPOCH = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST_US = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND


def to_datetime(time_us: int) -> datetime:
    """Return the aware UTC datetime of microseconds since the epoch, at most the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=max(_FIRST_US, min(time_us, _LAST_US)))


def to_us(at: datetime) -> int:
    """Return microseconds since the epoch of an aware datetime, exactly."""
    return (at - EPOCH) // _MICROSECOND


def to_text(time_us: int) -> str:
    """Return ISO 8601 with microseconds only where there are some, such as `2025-06-11T10:30:00Z`."""
    if not _FIRST_US <= time_us <= _LAST_US:
        time_us = max(_FIRST_US, min(time_us, _LAST_US))
    # Without a zone, whose name is Z here: lists of a thousand are told in half the time.
    return (_PLAIN_EPOCH + timedelta(microseconds=time_us)).isoformat() + "Z"
