"""Rate limits of routes: `dependencies=[limited("60/minute")]` in the decorator of a route is all a route says.

One counter an operation and caller: the two mounts of an operation share it. The frame puts `X-RateLimit-*` on every
answer of a limited route and `Retry-After` on a refusal.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests of one caller in `window_s` seconds."""

    count: int
    window_s: int


def parse_limit(text: str) -> Limit:
    """Return the limit that `60/minute` or `5/hour` says; raise ValueError for other texts."""
    count, _, unit = text.partition("/")
    if not count.isdecimal() or unit not in _SECONDS:
        raise ValueError(f"{text!r} is no limit: write 60/minute")
    return Limit(int(count), _SECONDS[unit])


def limited(text: str) -> Any:  # noqa: ANN401 - FastAPI's dependencies have no public type
    """Return the dependency that keeps callers of a route within a limit such as `60/minute`."""
    limit = parse_limit(text)

    async def within(request: Request) -> None:
        request.scope["limit"] = limit

    return Depends(within)
