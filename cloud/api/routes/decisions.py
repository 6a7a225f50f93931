"""/decisions: the inbox of what people have to decide, and what they say."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import Decider, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.once import idempotent
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.times import Time
from cloud.domain.decision import (
    Choice,
    Decision,
    DecisionKind,
    DecisionRequest,
    NewDecisionRequest,
    RequestState,
)
from cloud.domain.times import to_datetime
from cloud.errors import Invalid
from cloud.operations.decisions import Answer
from cloud.services import Services, Views

router = Resource(prefix="/decisions", tags=["decisions"])
_SUBMITTED = {
    "status": "success",
    "event_id": "3d3c2a1b-9e8f-4a7b-b6a1-0c9d12345678",
    "request_id": "req_maintenance_123",
}
REQUEST_EXAMPLE: dict[str, Any] = {
    "id": "req_0197f3a25c1e7d409a6b001122334455",
    "kind": "recommendation",
    "state": "open",
    "subject": "rec_17",
    "title": "pump-1: vibration rises; inspect the bearing",
    "device_id": "pump-1",
    "gateway_id": "gw-1",
    "evidence": {"alarms": ["5f2b1c9e-8d1f-4b7e-9a51-0c6f3f6f1c11"]},
    "options": ["approve", "reject", "defer"],
    "requested_by": "anna",
    "requested_at": "2026-01-15T10:30:00Z",
    "due_at": "2026-01-16T10:30:00Z",
    "expires_at": None,
    "decided_at": None,
    "deferred_until": None,
    "ad_hoc": False,
}
STORY_EXAMPLE = REQUEST_EXAMPLE | {
    "decisions": [
        {
            "event_id": "3d3c2a1b-9e8f-4a7b-b6a1-0c9d12345678",
            "decision": "defer",
            "justification": "after the shift",
            "operator_id": "operator_001",
            "by": "key:1a2b3c4d",
            "at": "2026-01-15T10:31:00Z",
            "until": "2026-01-15T18:00:00Z",
        }
    ]
}
MAINTENANCE_EXAMPLE = REQUEST_EXAMPLE | {
    "kind": "maintenance",
    "subject": "pump-1",
    "evidence": {"alarms": ["5f2b1c9e-8d1f-4b7e-9a51-0c6f3f6f1c11"], "note": "It is loud since the early shift."},
}
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
RequestId = Annotated[str, Field(min_length=1, max_length=200, pattern=_PLAIN)]
AnyRequestId = Annotated[str, Path(min_length=1, max_length=200)]


class Submission(BaseModel):
    """What somebody decided; defer_until: when a deferred request comes back, in a day where nobody says."""

    model_config = ConfigDict(extra="forbid")

    request_id: RequestId
    decision: Choice
    justification: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    operator_id: Annotated[str, Field(max_length=200, pattern=_PLAIN)] = ""
    defer_until: Time | None = None


class MaintenanceBody(BaseModel):
    """What somebody asks to have done; alarms: ids of those that speak for it; due_at: by when it should be decided."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[DecisionKind.MAINTENANCE] = DecisionKind.MAINTENANCE
    title: Annotated[str, Field(min_length=1, max_length=400, pattern=_PLAIN)]
    device_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    alarms: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100, pattern=_PLAIN)]], Field(max_length=50)
    ] = []
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    due_at: Time | None = None


class Submitted(BaseModel):
    """That it is kept; event_id stays the same where the same is said again."""

    status: Literal["success"]
    event_id: UUID
    request_id: str


class RequestView(BaseModel):
    """One request; ad_hoc: somebody decided it without having been asked here."""

    id: str
    kind: DecisionKind
    state: RequestState
    subject: str
    title: str
    device_id: str
    gateway_id: str
    evidence: dict[str, Any]
    options: list[Choice]
    requested_by: str
    requested_at: datetime
    due_at: datetime | None
    expires_at: datetime | None
    decided_at: datetime | None
    deferred_until: datetime | None
    ad_hoc: bool


class DecisionView(BaseModel):
    """One answer; by: the credential that gave it."""

    event_id: UUID
    decision: Choice
    justification: str
    operator_id: str
    by: str
    at: datetime
    until: datetime | None


class StoryView(RequestView):
    """A request and every answer to it, the oldest first."""

    decisions: list[DecisionView]


class Inbox(BaseModel):
    """Which requests are asked for; without a state those that wait for somebody."""

    kind: list[DecisionKind] = []
    state: list[RequestState] = [RequestState.OPEN]
    limit: Limit = 100
    offset: Offset = 0


@router.get("", summary="List what is to be decided", responses=answers([REQUEST_EXAMPLE], 401, 403, 422, 503))
async def list_decision_requests(
    request: Request, response: Response, _caller: Decider, services: ServicesDep, wanted: Annotated[Inbox, Query()]
) -> list[RequestView]:
    """List the requests, the newest first: those that are open, or those in the states that are named."""
    found, total = await services.threads.run(
        lambda _: services.decisions.list(
            kinds=wanted.kind, states=wanted.state, limit=wanted.limit, offset=wanted.offset
        )
    )
    tell_pages(total, request, response, limit=wanted.limit, offset=wanted.offset)
    return [RequestView(**_facts(one)) for one in found]


@router.post(
    "",
    status_code=201,
    summary="Ask for maintenance",
    dependencies=[idempotent()],
    responses=answers(MAINTENANCE_EXAMPLE, 400, 401, 403, 404, 409, 422, 503, good=201),
    openapi_extra={MISSING_IS_400: True},
)
async def request_maintenance(body: MaintenanceBody, caller: Decider, services: ServicesDep) -> RequestView:
    """Put a request for maintenance into the inbox; 404 where the device is not there."""

    def do(views: Views) -> RequestView:
        return RequestView(**_facts(services.decisions.ask(_asked(body, caller.name, services, views))))

    return await services.threads.run(do)


@router.post(
    "/submit",
    status_code=201,
    summary="Decide",
    dependencies=[idempotent()],
    responses=answers(_SUBMITTED, 400, 401, 403, 404, 409, 422, 503, good=201),
    openapi_extra={MISSING_IS_400: True},
)
async def submit_decision(body: Submission, request: Request, caller: Decider, services: ServicesDep) -> Submitted:
    """Approve, reject or defer. A request that nobody made is kept with its decision, unless decisions are strict."""
    answer = Answer(
        request_id=body.request_id,
        choice=body.decision,
        by=caller.name,
        justification=body.justification,
        operator=body.operator_id,
        until=body.defer_until,
    )
    told_by = str(request.scope["request_id"])
    decision = await services.threads.run(lambda _: services.decisions.submit(answer, request_id=told_by))
    return Submitted(status="success", event_id=UUID(decision.event_id), request_id=decision.request_id)


@router.get("/{request_id}", summary="Show one request", responses=answers(STORY_EXAMPLE, 401, 403, 404, 422, 503))
async def show_decision_request(request_id: AnyRequestId, _caller: Decider, services: ServicesDep) -> StoryView:
    """Show a request with its evidence and every answer to it."""
    story = await services.threads.run(lambda _: services.decisions.get(request_id))
    return StoryView(**_facts(story.request), decisions=[_decision(one) for one in story.decisions])


def _asked(body: MaintenanceBody, by: str, services: Services, views: Views) -> NewDecisionRequest:
    at = to_datetime(services.clock.now_us())
    if body.due_at is not None and body.due_at <= at:
        raise Invalid("due_at: must lie ahead", code="INVALID_TIME", details={"field": "due_at"})
    device = None if body.device_id is None else services.registry.find(body.device_id, views.store.devices)
    told: dict[str, object] = {"alarms": list(body.alarms), "note": body.note}
    return NewDecisionRequest(
        kind=body.kind,
        subject="" if device is None else device.shown_id,
        title=body.title,
        requested_by=by,
        at=at,
        evidence={name: value for name, value in told.items() if value},
        due_at=body.due_at,
        device="" if device is None else device.shown_id,
        gateway="" if device is None else device.source,
    )


def _facts(request: DecisionRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind,
        "state": request.state,
        "subject": request.subject,
        "title": request.title,
        "device_id": request.device,
        "gateway_id": request.gateway,
        "evidence": dict(request.evidence),
        "options": list(request.options),
        "requested_by": request.requested_by,
        "requested_at": request.requested_at,
        "due_at": request.due_at,
        "expires_at": request.expires_at,
        "decided_at": request.decided_at,
        "deferred_until": request.deferred_until,
        "ad_hoc": request.is_ad_hoc,
    }


def _decision(decision: Decision) -> DecisionView:
    return DecisionView(
        event_id=UUID(decision.event_id),
        decision=decision.choice,
        justification=decision.justification,
        operator_id=decision.operator,
        by=decision.by,
        at=decision.at,
        until=decision.until,
    )
