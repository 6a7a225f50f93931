"""Alarm: one condition that an operator must see, from the moment it is raised until it is over and was seen.

States and words are those of ISA-18.2. One Alarm a Condition lives at a time: what is raised again while it lives
counts as an occurrence. A condition that is raised 3 times in a minute (ISA-18.2), or 10 times in 15 minutes (EEMUA
191, repeating), chatters: it stays one Alarm, and what was acknowledged stays acknowledged, until 15 quiet minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from cloud.domain.label import Verdict
from cloud.errors import Conflict, Invalid

_SECOND_US = 1_000_000
LEAST_SHELF_S = 60.0
LONGEST_SHELF_S = 12 * 3600.0
QUIET_US = 15 * 60 * _SECOND_US
_CHATTERS = ((3, 60 * _SECOND_US), (10, QUIET_US))
_MOST_RAISES = max(times for times, _ in _CHATTERS)


class AlarmState(StrEnum):
    """What an operator has to do about it; the first four are the display states of ISA-18.2."""

    UNACK_ACTIVE = "unack_active"
    ACK_ACTIVE = "ack_active"
    UNACK_CLEARED = "unack_cleared"
    NORMAL = "normal"
    """Cleared and acknowledged: it is over."""
    SHELVED = "shelved"
    """Out of sight until a time that an operator chose."""
    OUT_OF_SERVICE = "out_of_service"
    """Out of sight until somebody brings it back, as while a machine is being mended."""


class Severity(StrEnum):
    """How bad it is, the mildest first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Condition(NamedTuple):
    """What can be wrong: of a Device of a source, or of a Gateway itself (device is empty).

    kind: what found it, such as `anomaly` or `limit`; point: the channel or the rule, empty where a Device has but one.
    """

    source: str
    device: str
    kind: str
    point: str = ""

    @property
    def digest(self) -> str:
        """Return 32 hex digits that stand for the condition."""
        return blake2b("\n".join(self).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found when a condition was raised; see `protocols.anomaly` for score, peak, shares, onset and model.

    at_us: when it was raised; episode: empty where there are none; epoch: of the gateway that said so.
    """

    at_us: int
    severity: Severity
    message: str
    onset_us: int
    channel: str = ""
    shares: tuple[tuple[str, float], ...] = ()
    score: float | None = None
    peak: float | None = None
    value: float | None = None
    limit: str = ""
    model: str = ""
    episode: str = ""
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """Who did it, and when; why: in the operator's words."""

    by: str
    at_us: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Until when an Alarm is out of sight; is_one_shot: no longer than until it clears."""

    placed: Seen
    until_us: int
    is_one_shot: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition and what became of it; finding: of its newest occurrence.

    onset_us, raised_us: of its first occurrence; cleared_us: of its last clearing, None before there was one; raises:
    times of the newest occurrences, those of an earlier Alarm of the condition among them.
    """

    id: str
    condition: Condition
    finding: Finding
    onset_us: int
    raised_us: int
    raises: tuple[int, ...]
    occurrences: int = 1
    is_active: bool = True
    cleared_us: int | None = None
    acknowledged: Seen | None = None
    shelf: Shelf | None = None
    removed: Seen | None = None
    chattering_since_us: int | None = None
    assigned_to: str = ""
    verdict: Verdict | None = None
    escalated_us: int | None = None
    muted_by: str = ""
    """The planned event that keeps it quiet; its state goes on beneath."""

    @property
    def state(self) -> AlarmState:
        """Return its state."""
        if self.removed is not None:
            return AlarmState.OUT_OF_SERVICE
        if self.shelf is not None:
            return AlarmState.SHELVED
        if self.is_active:
            return AlarmState.UNACK_ACTIVE if self.acknowledged is None else AlarmState.ACK_ACTIVE
        return AlarmState.UNACK_CLEARED if self.acknowledged is None else AlarmState.NORMAL

    @property
    def is_live(self) -> bool:
        """Return whether it is not over yet."""
        return self.state is not AlarmState.NORMAL

    def is_chattering(self, at_us: int) -> bool:
        """Return whether it came too often lately to say something each time."""
        return self.chattering_since_us is not None and at_us - self.raises[-1] <= QUIET_US

    def again(self, finding: Finding) -> "Alarm":
        """Return the alarm raised once more; the same episode, or what is active without episodes, adds nothing."""
        if self.finding.episode == finding.episode and (self.is_active or finding.episode):
            return self
        raises = (*self.raises, finding.at_us)[-_MOST_RAISES:]
        is_escalated = self.escalated_us is not None and self.acknowledged is None
        return replace(
            self,
            finding=replace(finding, severity=_worse(finding.severity)) if is_escalated else finding,
            raises=raises,
            occurrences=self.occurrences + 1,
            is_active=True,
            chattering_since_us=_chattering_since(raises, self.chattering_since_us),
        )

    def clear(self, at_us: int, *, peak: float | None = None) -> "Alarm":
        """Return the alarm whose condition is over; clearing it twice changes nothing. A one-shot shelf ends."""
        if not self.is_active:
            return self
        shelf = None if self.shelf is not None and self.shelf.is_one_shot else self.shelf
        finding = self.finding if peak is None else replace(self.finding, peak=peak)
        return replace(self, is_active=False, cleared_us=at_us, shelf=shelf, finding=finding)

    def acknowledge(self, seen: Seen) -> "Alarm":
        """Return the alarm as seen by an operator, active or cleared; the first one to see it is kept."""
        return self if self.acknowledged is not None else replace(self, acknowledged=seen)

    def shelve(self, placed: Seen, *, for_s: float, is_one_shot: bool = False) -> "Alarm":
        """Return the alarm out of sight for so long; shelving again moves the end.

        Raises Invalid for a time outside 1 minute to 12 hours, Conflict where it is over or out of service.
        """
        if not LEAST_SHELF_S <= for_s <= LONGEST_SHELF_S:
            raise Invalid(
                f"for_s: must be {LEAST_SHELF_S:.0f} to {LONGEST_SHELF_S:.0f} seconds, not {for_s:g}",
                code="INVALID_SHELF",
                details={"field": "for_s", "issue": "out of bounds"},
            )
        if self.state in (AlarmState.NORMAL, AlarmState.OUT_OF_SERVICE):
            raise Conflict(f"alarm {self.id} is {self.state}: there is nothing to shelve", code="ALARM_STATE")
        return replace(self, shelf=Shelf(placed, placed.at_us + round(for_s * _SECOND_US), is_one_shot))

    def unshelve(self) -> "Alarm":
        """Return the alarm in sight again; one that is not shelved stays as it is."""
        return replace(self, shelf=None)

    def at(self, now_us: int) -> "Alarm":
        """Return the alarm as it is by this time: a shelf comes to its end."""
        return self.unshelve() if self.shelf is not None and self.shelf.until_us <= now_us else self

    def take_out_of_service(self, removed: Seen) -> "Alarm":
        """Return the alarm out of service; the first one who did it is kept. Raise Conflict where it is over."""
        if not self.is_live:
            raise Conflict(f"alarm {self.id} is over", code="ALARM_STATE")
        return self if self.removed is not None else replace(self, removed=removed, shelf=None)

    def return_to_service(self) -> "Alarm":
        """Return the alarm in service; it is then as its condition is."""
        return replace(self, removed=None)

    def assign(self, to: str) -> "Alarm":
        """Return the alarm in somebody's hands; empty: in nobody's."""
        return replace(self, assigned_to=to)

    def escalate(self, at_us: int) -> "Alarm":
        """Return the alarm one step worse, since nobody saw it for too long; only once, and only in sight."""
        if self.state is not AlarmState.UNACK_ACTIVE or self.escalated_us is not None:
            return self
        finding = replace(self.finding, severity=_worse(self.finding.severity))
        return replace(self, finding=finding, escalated_us=at_us)

    def mute(self, event: str) -> "Alarm":
        """Return the alarm kept quiet by a planned event; empty: by none."""
        return replace(self, muted_by=event)

    def judged(self, verdict: Verdict) -> "Alarm":
        """Return the alarm with what it really was."""
        return replace(self, verdict=verdict)

    def window(self, now_us: int) -> tuple[int, int]:
        """Return from when to when it spoke of something: from its first onset to its last clearing, or to now."""
        ends_us = now_us if self.is_active or self.cleared_us is None else self.cleared_us
        return self.onset_us, max(ends_us, self.finding.at_us, self.onset_us + 1)


def raised(last: Alarm | None, condition: Condition, finding: Finding, *, new_id: str) -> Alarm:
    """Return the Alarm of a condition that is raised: the last one, where it lives or chatters, else a new one."""
    if last is not None and (
        last.is_live or last.is_chattering(finding.at_us) or last.finding.episode == finding.episode != ""
    ):
        return last.again(finding)
    before = () if last is None else last.raises
    recent = tuple(at_us for at_us in before if finding.at_us - at_us <= QUIET_US)
    raises = (*recent, finding.at_us)[-_MOST_RAISES:]
    return Alarm(
        id=new_id,
        condition=condition,
        finding=finding,
        onset_us=finding.onset_us,
        raised_us=finding.at_us,
        raises=raises,
        chattering_since_us=_chattering_since(raises, None),
    )


def _worse(severity: Severity) -> Severity:
    ranks = list(Severity)
    return ranks[min(ranks.index(severity) + 1, len(ranks) - 1)]


def _chattering_since(raises: Sequence[int], since_us: int | None) -> int | None:
    if since_us is not None and raises[-1] - raises[-2] <= QUIET_US:
        return since_us
    fitting = (raises[-times] for times, span_us in _CHATTERS if _within(raises, times, span_us))
    return next(fitting, None)


def _within(raises: Sequence[int], times: int, span_us: int) -> bool:
    return len(raises) >= times and raises[-1] - raises[-times] <= span_us
