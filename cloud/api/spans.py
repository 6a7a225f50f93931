"""Spans of time that a query asks for: one that ends before it begins is a mistake, not an empty answer."""

from datetime import datetime

from cloud.domain.times import to_us
from cloud.errors import Invalid

Span = tuple[int | None, int | None]


def span_of(begin: datetime | None, end: datetime | None, *, names: tuple[str, str] = ("from", "to")) -> Span:
    """Return both in microseconds, None where it is open; names: of the fields; raise Invalid for a reversed one."""
    if begin is not None and end is not None and end < begin:
        issue = f"must not be before {names[0]}"
        details: dict[str, object] = {"field": names[1], "issue": issue}
        raise Invalid(f"{names[1]}: {issue}", code="INVALID_RANGE", details=details)
    return None if begin is None else to_us(begin), None if end is None else to_us(end)
