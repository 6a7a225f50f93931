"""Times as callers write them: ISO 8601, never a bare number, which could be seconds, milliseconds or a year."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_NUMBER = re.compile(r"\s*[+-]?[0-9._]+(e[+-]?[0-9]+)?\s*", re.IGNORECASE)


def _written(value: object) -> object:
    is_number = isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value) is not None)
    if is_number:
        raise ValueError("a time is written as in 2025-06-11T10:30:00Z, not as a number")
    return value


AnyTime = Annotated[datetime, BeforeValidator(_written)]
"""A time with or without its offset from UTC."""
Time = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A time with its offset from UTC."""
