"""Rollout: how a model goes out to gateways in groups, and when that is stopped; pure.

Which gateways are in which group follows from their names' hash, so that it can be told again. What is decided from
their answers is in `rollout_steps`. Source of groups with thresholds: Eclipse hawkBit, rollout management.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from math import ceil

from cloud.errors import Conflict, Invalid
from protocols.wanted import Phase


class RolloutState(StrEnum):
    """How a rollout stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """The next group waits for somebody's approval."""
    PAUSED = "paused"
    FINISHED = "finished"
    ROLLING_BACK = "rolling_back"
    """Stopped: all its targets were told the model before; not all have said that they are back."""
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    """A newer rollout took its targets over."""

    @property
    def is_open(self) -> bool:
        """Return whether it may still go on."""
        return self in (RolloutState.RUNNING, RolloutState.WAITING, RolloutState.PAUSED)


class Verdict(StrEnum):
    """What a rollout thinks of one target."""

    PENDING = "pending"
    """Its group has not begun."""
    WAITING = "waiting"
    GOOD = "good"
    FAILED = "failed"
    AWAY = "away"
    """The gateway is not there; it will hear of it when it is back."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a rollout asks of each group; percents of the group's targets, times in seconds.

    groups: how much of the fleet has been told, in percent, once each group has begun; success_percent: must serve
    before the next group begins; error_percent: more failures stop it; soak_s: how long a group that is good is left
    alone; answer_s: how long a gateway that is there may say nothing; away_s: how long those that are not there are
    waited for; max_over: share of rows over the threshold that is always allowed; min_agreement: of the shadow with
    the model before; min_rows: rows before a share means anything, and rows over the threshold before they are too
    many, because what is over comes in runs.
    """

    groups: tuple[float, ...] = (5.0, 25.0, 100.0)
    success_percent: float = 80.0
    error_percent: float = 10.0
    soak_s: float = 60.0
    answer_s: float = 120.0
    away_s: float = 3600.0
    max_over: float = 0.05
    min_agreement: float = 0.9
    min_rows: int = 100
    shadow_rows: int = 300
    phase: Phase = Phase.SERVING
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """The model that a target had before: empty name: the one that the gateway fits by itself."""

    name: str = ""
    version: int = 0
    path: str = ""
    over: float | None = None
    """Its share of rows over the threshold, as last heard."""


@dataclass(frozen=True, slots=True)
class Target:
    """One Device of one Gateway; group: counted from 0.

    told_us: when it was told the new model, or was there again; back_us: when it was back on the model before.
    """

    gateway: str
    device: str
    group: int
    verdict: Verdict = Verdict.PENDING
    reason: str = ""
    told_us: int = 0
    back_us: int = 0
    before: Before = Before()

    @property
    def has_begun(self) -> bool:
        """Return whether it was told of the new model."""
        return self.verdict is not Verdict.PENDING


@dataclass(frozen=True, slots=True)
class Rollout:
    """One version of a Model on its way; group: the one that has begun last, counted from 0.

    complete_us: when that group had proved itself, 0 while it has not; nominal, period_s: share of normal rows over the
    threshold and time from row to row, as the model was fitted; champion_before: the alias's version when it began, 0
    for none.
    """

    id: str
    model: str
    version: int
    path: str
    rules: Rules
    state: RolloutState = RolloutState.RUNNING
    reason: str = ""
    group: int = 0
    began_us: int = 0
    complete_us: int = 0
    nominal: float = 0.01
    period_s: float = 1.0
    champion_before: int = 0
    created_us: int = 0
    created_by: str = ""
    ended_us: int = 0

    @property
    def can_go_back(self) -> bool:
        """Return whether its gateways can still be told the model before."""
        return self.state.is_open or self.state is RolloutState.FINISHED

    def pause(self) -> "Rollout":
        """Return it as it is while no new group may begin; raise Conflict where it has ended."""
        self._require_open("paused")
        return replace(self, state=RolloutState.PAUSED)

    def resume(self) -> "Rollout":
        """Return it going on; raise Conflict where it is not paused."""
        if self.state is not RolloutState.PAUSED:
            raise Conflict(f"rollout {self.id} is {self.state}, not paused", code="ROLLOUT_NOT_PAUSED")
        return replace(self, state=RolloutState.RUNNING)

    def approve(self) -> "Rollout":
        """Return it with the next group begun; raise Conflict where it does not wait for that."""
        if self.state is not RolloutState.WAITING:
            raise Conflict(f"rollout {self.id} is {self.state}: nothing waits for approval", code="ROLLOUT_NOT_WAITING")
        return replace(self, state=RolloutState.RUNNING, group=self.group + 1, began_us=0, complete_us=0)

    def stop(self, reason: str, *, now_us: int) -> "Rollout":
        """Return it on its way back; raise Conflict where it is back already, or another took over."""
        if not self.can_go_back:
            raise Conflict(f"rollout {self.id} is {self.state}: it cannot go back", code="ROLLOUT_ENDED")
        return replace(self, state=RolloutState.ROLLING_BACK, reason=reason, ended_us=now_us)

    def returned(self) -> "Rollout":
        """Return it as it is once everybody is back on the model before."""
        return replace(self, state=RolloutState.ROLLED_BACK)

    def _require_open(self, wanted: str) -> None:
        if not self.state.is_open:
            raise Conflict(f"rollout {self.id} is {self.state}: it cannot be {wanted}", code="ROLLOUT_ENDED")


def check_rules(rules: Rules) -> Rules:
    """Return the rules; raise Invalid that names the field."""
    groups = rules.groups
    rising = all(lo < hi for lo, hi in zip((0.0, *groups), groups, strict=False))
    findings = {
        "groups": (rising and 0 < len(groups) <= 20 and groups[-1] == 100, "must rise from above 0 to 100"),
        "success_percent": (0 < rules.success_percent <= 100, "must be above 0, at most 100"),
        "error_percent": (0 <= rules.error_percent < 100, "must be 0 to below 100"),
        "soak_s": (0 <= rules.soak_s <= 30 * 86_400, "must be 0 to 2592000"),
        "answer_s": (0 < rules.answer_s <= 86_400, "must be above 0, at most 86400"),
        "away_s": (0 < rules.away_s <= 30 * 86_400, "must be above 0, at most 2592000"),
        "max_over": (0 < rules.max_over <= 1, "must be above 0, at most 1"),
        "min_agreement": (0 <= rules.min_agreement <= 1, "must be 0 to 1"),
        "min_rows": (1 <= rules.min_rows <= 1_000_000, "must be 1 to 1000000"),
        "shadow_rows": (0 <= rules.shadow_rows <= 10_000_000, "must be 0 to 10000000"),
    }
    wrong = {name: f"{getattr(rules, name)} {said}" for name, (is_right, said) in findings.items() if not is_right}
    if wrong:
        field, issue = next(iter(wrong.items()))
        said = "; ".join(f"{name}: {text}" for name, text in wrong.items())
        raise Invalid(said, code="INVALID_ROLLOUT", details={"field": field, "issue": issue})
    return rules


def in_groups(places: Sequence[tuple[str, str]], rules: Rules, *, salt: str) -> tuple[Target, ...]:
    """Return the targets in order of their groups; the gateways are drawn by their names' hash, the same each time.

    All Devices of a gateway are in one group; every group has a gateway while there are enough of them.
    """
    gateways = sorted({gateway for gateway, _ in places}, key=lambda name: sha256(f"{salt}/{name}".encode()).digest())
    group_of: dict[str, int] = {}
    begun = 0
    for group, percent in enumerate(rules.groups):
        end = max(begun + 1, ceil(len(gateways) * percent / 100))
        group_of |= dict.fromkeys(gateways[begun:end], group)
        begun = end
    order = {name: place for place, name in enumerate(gateways)}
    ranked = sorted(set(places), key=lambda one: (order[one[0]], one[1]))
    return tuple(Target(gateway, device, group_of[gateway]) for gateway, device in ranked)
