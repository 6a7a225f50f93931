"""DecisionRequest: something that a person has to decide, and what was decided.

Approved, rejected and expired requests are closed for good; a deferred one comes back when its time is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cloud.errors import Conflict, Invalid

DEFERRED_FOR = timedelta(days=1)
"""For how long where nobody says."""
LONGEST_DEFERRAL = timedelta(days=90)


class DecisionKind(StrEnum):
    """What is to be decided about."""

    MAINTENANCE = "maintenance"
    SCALING = "scaling"
    ROLLOUT = "rollout"
    MODEL_PROMOTION = "model_promotion"
    RECOMMENDATION = "recommendation"


class Choice(StrEnum):
    """What a person may say."""

    APPROVE = "approve"
    REJECT = "reject"
    DEFER = "defer"


class RequestState(StrEnum):
    """How far a request is; the last three are final."""

    OPEN = "open"
    DEFERRED = "deferred"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Return whether nothing will change any more."""
        return self not in (RequestState.OPEN, RequestState.DEFERRED)


ALL_CHOICES = tuple(Choice)
_STATES = {
    Choice.APPROVE: RequestState.APPROVED,
    Choice.REJECT: RequestState.REJECTED,
    Choice.DEFER: RequestState.DEFERRED,
}


@dataclass(frozen=True, slots=True)
class NewDecisionRequest:
    """What somebody asks people to decide.

    subject: id of what it is about, such as a rollout, a service, a recommendation; evidence: the facts that speak for
    it, with their ids; due_at: when it should be decided, expires_at: when it closes by itself, undecided.
    """

    kind: DecisionKind
    subject: str
    title: str
    requested_by: str
    at: datetime
    evidence: Mapping[str, object] = field(default_factory=dict)
    options: tuple[Choice, ...] = ALL_CHOICES
    due_at: datetime | None = None
    expires_at: datetime | None = None
    device: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said; by: the credential that said so, operator: who they say they are."""

    event_id: str
    request_id: str
    choice: Choice
    justification: str
    operator: str
    by: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A request as it is now; id: `req_...`, or the caller's own text where a decision came without a request.

    decided_at: when it was closed or deferred; deferred_until: when a deferred one comes back.
    """

    id: str
    kind: DecisionKind
    subject: str
    title: str
    requested_by: str
    requested_at: datetime
    evidence: Mapping[str, object]
    options: tuple[Choice, ...]
    state: RequestState = RequestState.OPEN
    due_at: datetime | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    deferred_until: datetime | None = None
    is_ad_hoc: bool = False
    device: str = ""
    gateway: str = ""

    @property
    def outcome(self) -> RequestState | None:
        """Return approved, rejected or expired; None as long as it is not closed."""
        return self.state if self.state.is_final else None

    def check(self, choice: Choice, *, at: datetime, until: datetime | None) -> None:
        """Raise Conflict where it is closed, Invalid where this may not be chosen or be deferred to."""
        if self.state.is_final:
            told = f"request {self.id} is {self.state} since {self.decided_at}"
            details: dict[str, object] = {"request_id": self.id, "state": self.state.value}
            raise Conflict(told, code="DECISION_CLOSED", details=details)
        if choice not in self.options:
            raise _invalid("decision", f"must be one of {', '.join(self.options)}")
        check_deferral(choice, at=at, until=until)


def state_after(choice: Choice) -> RequestState:
    """Return what a request is after somebody chose this."""
    return _STATES[choice]


def check_deferral(choice: Choice, *, at: datetime, until: datetime | None) -> None:
    """Raise Invalid for a time to come back that nobody can mean."""
    if until is None:
        return
    if choice is not Choice.DEFER:
        raise _invalid("defer_until", "only a deferred decision has it")
    if not at < until <= at + LONGEST_DEFERRAL:
        raise _invalid("defer_until", f"must lie in the next {LONGEST_DEFERRAL.days} days")


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_DECISION", details={"field": name, "issue": issue})
