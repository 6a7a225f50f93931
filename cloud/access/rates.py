"""Rates: counts what each caller asks for, one counter an operation and caller, and refuses what is too much.

Where the shared counters are away, each process counts by itself for a while: a lost Redis must not stop a plant's API.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from cloud.domain.limit import OFF, Allowance, Limit, Standing, parse_limit
from cloud.errors import Limited, Unavailable
from cloud.ports import CacheFacts, Clock, Counters, Hit

_HIGH = 1000
_ALONE_S = 5.0
log = logging.getLogger(__name__)


class Profile(StrEnum):
    """Which limits hold: the documented ones, ones that nobody reaches, or none."""

    DOCUMENTED = "documented"
    HIGH = "high"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class RateRules:
    """The profile, and limits that the configuration sets for operations by their ids."""

    profile: Profile = Profile.DOCUMENTED
    routes: Mapping[str, str] = field(default_factory=dict)

    def limit(self, operation: str, documented: Allowance | None, *, is_known: bool) -> Limit | None:
        """Return the limit that holds, None where there is none."""
        own = self.routes.get(operation)
        if self.profile is Profile.OFF or own == OFF:
            return None
        if own is not None:
            return parse_limit(own)
        if documented is None:
            return None
        limit = documented.known if is_known else documented.unknown
        return limit.raised(_HIGH) if self.profile is Profile.HIGH else limit


def caller_of(name: str, address: str) -> str:
    """Return whom to count: the name of who is known, else the address, IPv6 by its network of 64 bits."""
    if name:
        return name
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"at:{address}"
    if isinstance(parsed, IPv6Address):
        return f"at:{ip_network((parsed, 64), strict=False)}"
    return f"at:{parsed}"


class Rates:
    """The limits of one installation; instead: counts while the shared counters are away."""

    def __init__(self, counters: Counters, instead: Counters, clock: Clock, rules: RateRules) -> None:
        self._counters = counters
        self._instead = instead
        self._clock = clock
        self._rules = rules
        self._alone_until_s = clock.monotonic_s()

    def limit(self, operation: str, documented: Allowance | None, *, is_known: bool) -> Limit | None:
        """Return the limit that holds for an operation, None where there is none."""
        return self._rules.limit(operation, documented, is_known=is_known)

    async def count(self, operation: str, caller: str, limit: Limit) -> Standing:
        """Count one request and return where the caller stands; raises nothing."""
        key = f"{operation}\n{caller}\n{limit.window_s}"
        hit = await self._hit(key, limit.window_s)
        return Standing(limit, hit.count, hit.ends_us)

    def refusal(self, standing: Standing) -> Limited:
        """Return what to raise for one request too many."""
        wait_s = (standing.resets_us - self._clock.now_us()) / 1e6
        return Limited(f"more than {standing.limit}", retry_after_s=max(1.0, wait_s))

    async def facts(self) -> CacheFacts | None:
        """Return how the shared counters are, None where they are no server of their own; raise Unavailable."""
        return await self._counters.facts()

    async def close(self) -> None:
        """Let go of the counters."""
        await self._counters.close()

    async def _hit(self, key: str, window_s: int) -> Hit:
        now_us = self._clock.now_us()
        if self._clock.monotonic_s() >= self._alone_until_s:
            try:
                return await self._counters.hit(key, window_s=window_s, now_us=now_us)
            except Unavailable as error:
                self._alone_until_s = self._clock.monotonic_s() + _ALONE_S
                log.warning("requests are counted by this process alone for %g s: %s", _ALONE_S, error)
        return await self._instead.hit(key, window_s=window_s, now_us=now_us)
