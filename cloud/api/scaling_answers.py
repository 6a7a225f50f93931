"""What the API takes and tells of scaling."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import WHOLE
from cloud.domain.load import Service
from cloud.domain.scaling import DecisionType, ScalingDecision, Status, Trigger, Verification
from cloud.operations.scaling import Standing

_ID = "0197a3c2-7b1e-7000-8000-000000000002"
_STANDING = {
    "service_name": "ingest",
    "current_instances": 2,
    "desired_instances": 2,
    "min_instances": 1,
    "max_instances": 4,
    "cpu_utilization": 0.65,
    "memory_utilization": 0.45,
    "status": "stable",
    "last_scaling_action": {
        "type": "scale_up",
        "from_instances": 1,
        "to_instances": 2,
        "timestamp": "2026-01-15T10:30:00Z",
    },
    "wanted_instances": 2,
    "capacity_per_instance": 120.5,
    "messages_per_s": 96.0,
    "held_until": None,
    "waits_for": "",
}
STATUS_EXAMPLE = {**_STANDING, "services": [_STANDING]}
DECISIONS_EXAMPLE = {
    "decisions": [
        {
            "id": _ID,
            "service_name": "ingest",
            "decision_type": "scale_up",
            "current_instances": 1,
            "target_instances": 2,
            "status": "executed",
            "confidence_score": 0.92,
            "reasoning": "150.2 messages/s are foretold for the next 15 minutes (90th percentile)",
            "triggered_by": {
                "prediction_value": 150.2,
                "threshold": 84.0,
                "business_events": ["shift_change_000001"],
                "trigger": "forecast",
                "requested_by": "scaling",
            },
            "created_at": "2026-01-15T10:30:00Z",
            "executed_at": "2026-01-15T10:30:01Z",
            "verification": {"status": "success", "verified_at": "2026-01-15T10:32:01Z"},
            "problem": "",
            "approval_request_id": None,
        }
    ],
    "count": 1,
    "total_count": 1,
}
MANUAL_EXAMPLE = {"decision_id": _ID, "status": "pending", "message": "Manual scaling request submitted"}


class Action(BaseModel):
    """A change that was carried out."""

    type: DecisionType
    from_instances: int
    to_instances: int
    timestamp: datetime


class StandingAnswer(BaseModel):
    """One service; capacity and loads in messages a second.

    `current_instances`: processes that serve now; `desired_instances`: what the loads ask for; `wanted_instances`: what
    was decided; `waits_for`: why nothing is changed although the loads ask for it.
    """

    service_name: Service
    current_instances: int
    desired_instances: int
    min_instances: int
    max_instances: int
    cpu_utilization: float
    memory_utilization: float
    status: str
    last_scaling_action: Action | None
    wanted_instances: int
    capacity_per_instance: float | None
    messages_per_s: float
    held_until: datetime | None
    waits_for: str


class StatusAnswer(StandingAnswer):
    """The first service, or the one that was asked for; `services` holds all of them."""

    services: list[StandingAnswer]


class TriggeredBy(BaseModel):
    """What a decision was made by: the load, the load that the instances were good for, and the planned events."""

    prediction_value: float | None
    threshold: float | None
    business_events: list[str]
    trigger: Trigger
    requested_by: str


class VerificationAnswer(BaseModel):
    """What was seen two minutes later."""

    status: Verification
    verified_at: datetime | None


class DecisionAnswer(BaseModel):
    """One decision; `verification` is null before it was carried out."""

    id: UUID
    service_name: Service
    decision_type: DecisionType
    current_instances: int
    target_instances: int
    status: Status
    confidence_score: float | None
    reasoning: str
    triggered_by: TriggeredBy
    created_at: datetime
    executed_at: datetime | None
    verification: VerificationAnswer | None
    problem: str
    approval_request_id: str | None

    @classmethod
    def of(cls, one: ScalingDecision) -> Self:
        """Return the answer."""
        change = one.change
        verified = None
        if one.verification is not None:
            verified = VerificationAnswer(status=one.verification, verified_at=one.verified_at)
        return cls(
            id=UUID(one.id),
            service_name=change.service,
            decision_type=change.kind,
            current_instances=change.current,
            target_instances=change.target,
            status=one.status,
            confidence_score=change.confidence,
            reasoning=change.reasoning,
            triggered_by=TriggeredBy(
                prediction_value=change.prediction,
                threshold=change.threshold,
                business_events=list(change.events),
                trigger=change.trigger,
                requested_by=one.requested_by,
            ),
            created_at=one.created_at,
            executed_at=one.executed_at,
            verification=verified,
            problem=one.problem,
            approval_request_id=one.request_id,
        )


class DecisionsAnswer(BaseModel):
    """The newest first; `total_count` counts all that fit."""

    decisions: list[DecisionAnswer]
    count: int
    total_count: int


class ManualScaling(BaseModel):
    """How many instances a service shall have, and why."""

    model_config = ConfigDict(extra="forbid")

    service_name: Annotated[str, Field(min_length=1, max_length=100)]
    target_instances: Annotated[int, Field(ge=0, le=10_000), WHOLE]
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class ManualAnswer(BaseModel):
    """That it will be carried out in a moment; the list of decisions shows when."""

    decision_id: UUID
    status: Status
    message: str = "Manual scaling request submitted"


def standing_of(one: Standing) -> StandingAnswer:
    """Return the answer about one service."""
    last = one.last
    return StandingAnswer(
        service_name=one.service,
        current_instances=one.wanted.instances if one.alive is None else one.alive,
        desired_instances=one.verdict.desired,
        min_instances=one.bounds.least,
        max_instances=one.bounds.most,
        cpu_utilization=one.host.cpu,
        memory_utilization=one.host.memory,
        status=one.status,
        last_scaling_action=None if last is None else _action(last),
        wanted_instances=one.wanted.instances,
        capacity_per_instance=one.capacity,
        messages_per_s=one.observed,
        held_until=one.wanted.held_until,
        waits_for=one.verdict.waits_for,
    )


def _action(last: ScalingDecision) -> Action:
    change = last.change
    start, end = change.current, change.target
    kind = change.kind
    if last.status is Status.ROLLED_BACK:
        start, end = end, start
        kind = DecisionType.SCALE_UP if end > start else DecisionType.SCALE_DOWN
    at = last.verified_at if last.status is Status.ROLLED_BACK else last.executed_at
    return Action(type=kind, from_instances=start, to_instances=end, timestamp=at or last.created_at)
