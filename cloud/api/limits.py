"""Rate limits of routes: `dependencies=[limited("60/minute")]` in the decorator of a route is all a route says.

One counter an operation and caller: the two mounts of an operation share it. The frame puts `X-RateLimit-*` on every
answer of a limited route and `Retry-After` on a refusal.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request

from cloud.access.gate import ANONYMOUS
from cloud.access.rates import Rates, caller_of
from cloud.api.deps import Guest, ServicesDep
from cloud.domain.api_key import Principal
from cloud.domain.limit import Allowance, Standing, parse_limit

STANDING = "standing"
"""Where a request's scope keeps how its caller stands."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A dependency that does nothing: `keep_within` finds it on the route."""

    allowance: Allowance

    async def __call__(self) -> None:
        """Do nothing."""


def limited(text: str, *, unknown: str = "") -> Any:  # noqa: ANN401 - FastAPI's dependencies have no public type
    """Return the mark that keeps callers of a route within a limit such as `60/minute`.

    unknown: the limit for callers without credentials, where it is another one; they are counted by their address.
    """
    known = parse_limit(text)
    return Depends(_Mark(Allowance(known, parse_limit(unknown) if unknown else known)))


def limited_as_documented() -> Any:  # noqa: ANN401 - see above
    """Return the mark of routes whose document sets one limit for all: 100 a minute, 10 without credentials."""
    return limited("100/minute", unknown="10/minute")


async def keep_within(request: Request, services: ServicesDep, guest: Guest) -> None:
    """Count a request of a limited operation before anything is done for it; raise Limited for one too many."""
    standing = await _counted(services.rates, request, guest)
    if standing is not None and standing.is_over:
        raise services.rates.refusal(standing)


async def count_unread(rates: Rates, request: Request) -> Standing | None:
    """Count by its address a request that failed before its caller was known, as one whose body is no JSON."""
    if STANDING in request.scope:
        return None
    return await _counted(rates, request, None)


def rate_headers(standing: Standing) -> dict[str, str]:
    """Return the headers that say where a caller stands."""
    return {
        "X-RateLimit-Limit": str(standing.limit.count),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": str(standing.resets_s),
    }


def allowance_of(route: object) -> Allowance | None:
    """Return the limit that a route's decorator names."""
    marks = (one.dependency for one in getattr(route, "dependencies", ()))
    return next((mark.allowance for mark in marks if isinstance(mark, _Mark)), None)


async def _counted(rates: Rates, request: Request, guest: Principal | None) -> Standing | None:
    route = request.scope.get("route")
    if request.method not in getattr(route, "methods", ()):
        return None
    operation: str = getattr(route, "name", "")
    limit = rates.limit(operation, allowance_of(route), is_known=guest is not None)
    if limit is None:
        return None
    name = guest.name if guest is not None and guest != ANONYMOUS else ""
    address = request.client.host if request.client is not None else ""
    standing = await rates.count(operation, caller_of(name, address), limit)
    request.scope[STANDING] = standing
    return standing
