"""Scaling: how many instances a service shall have, and the life of a decision about it; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cloud.domain.load import Service
from cloud.errors import Invalid

TARGET_UTILISATION = 0.7
"""The share of what an instance can do that the upper forecast may take."""
MOST_CPU = 0.85
"""Above this share of the machine another instance only takes from the others."""
MUST_FIT = timedelta(minutes=10)
COOLDOWN = timedelta(minutes=5)
HOLD = timedelta(minutes=60)
VERIFY_AFTER = timedelta(seconds=120)
MOST_LAG_S = 2.0
"""A change is good only where less than that waits afterwards."""


class Status(StrEnum):
    """How far a decision is."""

    PENDING = "pending"
    EXECUTED = "executed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class DecisionType(StrEnum):
    """What it changes; hold: nothing, a person wants it to stay so."""

    SCALE_UP = "scale_up"
    SCALE_DOWN = "scale_down"
    HOLD = "hold"


class Trigger(StrEnum):
    """Who or what asked for it."""

    FORECAST = "forecast"
    LOAD = "load"
    """What is there already is more than was foretold."""
    MANUAL = "manual"


class Verification(StrEnum):
    """What was seen some time after the change."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """Something else was wanted before it could be looked at."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """least <= instances <= most."""

    least: int
    most: int

    def clamp(self, wanted: int) -> int:
        """Return the nearest number that is allowed."""
        return max(self.least, min(self.most, wanted))

    def check(self, wanted: int) -> int:
        """Return the number; raise Invalid where it is not allowed."""
        if not self.least <= wanted <= self.most:
            issue = f"must be {self.least} to {self.most}, and is {wanted}"
            details: dict[str, object] = {"field": "target_instances", "issue": issue}
            raise Invalid(f"target_instances: {issue}", code="OUT_OF_BOUNDS", details=details)
        return wanted


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when it is decided; loads and capacity in messages a second, of one instance: capacity.

    p90, p99: of what is foretold for now up to the short horizon; None without a forecast. observed: the newest load.
    cpu: share of the machine in use; small_since: since when the upper forecast would fit fewer instances.
    """

    service: Service
    at: datetime
    current: int
    bounds: Bounds
    capacity: float | None
    observed: float = 0.0
    p90: float | None = None
    p99: float | None = None
    cpu: float = 0.0
    changed_at: datetime | None = None
    held_until: datetime | None = None
    small_since: datetime | None = None
    confidence: float | None = None
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """The highest of what is foretold from now up to the short horizon, in messages a second; None: nothing is."""

    p90: float | None = None
    p99: float | None = None
    confidence: float | None = None
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """From so many instances to so many, and why; threshold: the load that the present ones are good for."""

    service: Service
    current: int
    target: int
    trigger: Trigger
    reasoning: str
    prediction: float | None = None
    threshold: float | None = None
    confidence: float | None = None
    events: tuple[str, ...] = ()

    @property
    def kind(self) -> DecisionType:
        """Return whether it gets more or less."""
        if self.target == self.current:
            return DecisionType.HOLD
        return DecisionType.SCALE_UP if self.target > self.current else DecisionType.SCALE_DOWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """desired: what the loads ask for; waits_for: why nothing is changed although they do."""

    desired: int
    change: Change | None = None
    small_since: datetime | None = None
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    """A change on its way; request_id: of the approval it waits for; problem: why it failed or was rolled back."""

    id: str
    change: Change
    requested_by: str
    created_at: datetime
    status: Status = Status.PENDING
    executed_at: datetime | None = None
    verification: Verification | None = None
    verified_at: datetime | None = None
    request_id: str | None = None
    problem: str = ""

    def execute(self, at: datetime) -> "ScalingDecision":
        """Return the decision carried out, to be verified."""
        return replace(self, status=Status.EXECUTED, executed_at=at, verification=Verification.PENDING)

    def fail(self, at: datetime, problem: str) -> "ScalingDecision":
        """Return the decision that could not be carried out."""
        return replace(self, status=Status.FAILED, executed_at=at, problem=problem[:500])

    def verify(self, at: datetime, problem: str) -> "ScalingDecision":
        """Return the decision looked at again; rolled back where there is a problem."""
        if not problem:
            return replace(self, verification=Verification.SUCCESS, verified_at=at)
        verified = replace(self, verification=Verification.FAILED, verified_at=at, problem=problem[:500])
        return replace(verified, status=Status.ROLLED_BACK)

    def supersede(self, at: datetime) -> "ScalingDecision":
        """Return the decision whose outcome nobody can see any more."""
        return replace(self, verification=Verification.SUPERSEDED, verified_at=at)

    def is_due(self, at: datetime) -> bool:
        """Return whether it is time to verify it."""
        is_open = self.status is Status.EXECUTED and self.verification is Verification.PENDING
        return is_open and self.executed_at is not None and at >= self.executed_at + VERIFY_AFTER


@dataclass(frozen=True, slots=True)
class Count:
    """A counter: family, service and label, such as the horizon."""

    family: str
    service: str
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the executor and the load series say after a change; lags_s: of the minutes since, in seconds."""

    alive: int
    deaths: int
    lags_s: Sequence[float] = field(default=())


def needed(load: float, capacity: float, bounds: Bounds) -> int:
    """Return how many instances keep this load (finite, at least 0) below the target utilisation."""
    share = load / (TARGET_UTILISATION * capacity)
    # A share beyond every bound must not become an integer of any size.
    return bounds.clamp(math.ceil(min(share, float(bounds.most)) - 1e-9))


def fitting(p99: float, capacity: float, bounds: Bounds) -> int:
    """Return how few instances can still do what is only rarely exceeded."""
    return bounds.clamp(math.ceil(min(p99 / capacity, float(bounds.most)) - 1e-9))


def decide(now: Situation) -> Verdict:
    """Return what the loads ask for, and the change to be made at this moment, if any."""
    if now.capacity is None or now.capacity <= 0:
        desired = now.bounds.clamp(now.current)
        return Verdict(desired, waits_for="what one instance can do was not measured yet")
    load = max(now.p90 or 0.0, now.observed)
    desired = needed(load, now.capacity, now.bounds)
    least = max(desired, fitting(max(now.p99 or 0.0, load), now.capacity, now.bounds))
    since = (now.small_since or now.at) if least < now.current else None
    if desired <= now.current and since is None:
        return Verdict(desired)
    waits_for = _waits_for(now, desired, since)
    if waits_for:
        return Verdict(desired, None, since, waits_for)
    target = desired if desired > now.current else least
    return Verdict(desired, _change(now, target, load), None)


def verify(target: int, seen: Seen) -> str:
    """Return what is wrong with a change that was carried out a while ago, empty where all is well."""
    if seen.deaths:
        return f"{seen.deaths} of its processes died since"
    if seen.alive < target:
        return f"{seen.alive} of {target} instances are alive"
    lag_s = percentile_95(seen.lags_s)
    return f"messages wait for {lag_s:.1f} s (95th percentile)" if lag_s >= MOST_LAG_S else ""


def percentile_95(values: Sequence[float]) -> float:
    """Return the value that one in twenty exceeds (nearest rank), 0 without any."""
    ranked = sorted(values)
    return ranked[math.ceil(0.95 * len(ranked)) - 1] if ranked else 0.0


def _waits_for(now: Situation, desired: int, since: datetime | None) -> str:
    if now.held_until is not None and now.at < now.held_until:
        return f"a person set it; held until {now.held_until:%H:%M}"
    if now.changed_at is not None and now.at < now.changed_at + COOLDOWN:
        return "it was changed less than five minutes ago"
    if desired > now.current:
        return f"the machine is busy ({now.cpu:.0%})" if now.cpu > MOST_CPU else ""
    if since is not None and now.at < since + MUST_FIT:
        return "fewer instances must fit for ten minutes"
    return ""


def _change(now: Situation, target: int, load: float) -> Change:
    capacity = now.capacity or 0.0
    is_foretold = now.p90 is not None and now.p90 >= now.observed
    what = "foretold for the next 15 minutes (90th percentile)" if is_foretold else "there now"
    because = f" and {', '.join(now.events)}" if now.events else ""
    reasoning = (
        f"{load:.1f} messages/s are {what}{because}; one instance does {capacity:.1f} messages/s, and {now.current} of "
        f"them are good for {TARGET_UTILISATION * capacity * now.current:.1f} at {TARGET_UTILISATION:.0%}"
    )
    return Change(
        service=now.service,
        current=now.current,
        target=target,
        trigger=Trigger.FORECAST if is_foretold else Trigger.LOAD,
        reasoning=reasoning[:1000],
        prediction=load,
        threshold=TARGET_UTILISATION * capacity * now.current,
        confidence=now.confidence,
        events=now.events,
    )
