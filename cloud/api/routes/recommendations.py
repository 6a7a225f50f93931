"""/recommendations: what rules propose to do, with the evidence; accepting one asks for a decision."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.alarm_answers import Plant
from cloud.api.deps import Decider, Reader, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.domain.recommendation import (
    Priority,
    Recommendation,
    RecommendationState,
    RecommendationType,
    Timeframe,
)
from cloud.services import Services, Views

router = Resource(prefix="/recommendations", tags=["recommendations"])
_ERRORS = (401, 403, 404, 409, 422, 503)
_EXAMPLE: dict[str, Any] = {
    "id": "rec_0197a5f0c1b27c3e8d4f5a6b7c8d9e0f",
    "type": "maintenance",
    "priority_level": "high",
    "title": "Vibration trend increasing",
    "action": "Investigate vibration of DEVICE_003: it reaches its critical limit in 90 h",
    "urgency": 0.7,
    "impact": 0.8,
    "composite_score": 0.75,
    "timeframe": "within_week",
    "source": "historical_analysis",
    "rule": "rising_trend",
    "device_id": "DEVICE_003",
    "evidence": [{"kind": "health_score", "id": "DEVICE_003", "facts": {"hours_to_limit": 90.0}}],
    "state": "open",
    "created_at": "2026-01-15T10:30:00Z",
    "changed_at": "2026-01-15T10:30:00Z",
    "decided_by": None,
    "request_id": None,
}


class EvidenceAnswer(BaseModel):
    """One thing that speaks for it: what it is, under which id it is kept, and its figures."""

    kind: str
    id: str
    facts: dict[str, Any]


class RecommendationAnswer(BaseModel):
    """What a rule proposes; source: what kind of evidence it stands on; request_id: of the decision asked for."""

    id: str
    type: RecommendationType
    priority_level: Priority
    title: str
    action: str
    urgency: float
    impact: float
    composite_score: float
    timeframe: Timeframe
    source: str
    rule: str
    device_id: str
    evidence: list[EvidenceAnswer]
    state: RecommendationState
    created_at: datetime
    changed_at: datetime
    decided_by: str | None
    request_id: str | None


class Note(BaseModel):
    """Why, in the caller's words."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=2000)] = ""


OptionalNote = Annotated[Note, Body(default_factory=Note)]
Id = Annotated[str, Field(max_length=100)]
States = Annotated[list[RecommendationState], Query(description="Open ones by default.")]


@router.get(
    "",
    summary="List recommendations",
    dependencies=[limited("30/minute")],
    responses=answers([_EXAMPLE], 401, 403, 404, 422, 501, 503),
)
async def list_recommendations(
    request: Request,
    response: Response,
    _caller: Reader,
    services: ServicesDep,
    device_id: Annotated[str | None, Query(max_length=200, description="Only of this device.")] = None,
    state: States = [RecommendationState.OPEN],  # noqa: B006 - FastAPI copies it
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[RecommendationAnswer]:
    """List the best first: by the mean of urgency and impact."""

    def read(views: Views) -> list[RecommendationAnswer]:
        device = None if device_id is None else services.registry.find(device_id, views.store.devices)
        found, total = services.recommendations.list(states=state, device=device, limit=limit, offset=offset)
        tell_pages(total, request, response, limit=limit, offset=offset)
        plant = Plant.seen(services, views)
        return [_answer(one, plant) for one in found]

    return await services.threads.run(read)


@router.get(
    "/{recommendation_id}", summary="Show a recommendation", responses=answers(_EXAMPLE, 401, 403, 404, 422, 503)
)
async def show_recommendation(recommendation_id: Id, _caller: Reader, services: ServicesDep) -> RecommendationAnswer:
    """Show one with its evidence, open or not."""
    return await _done(services, lambda _: services.recommendations.get(recommendation_id))


@router.post(
    "/{recommendation_id}/accept",
    summary="Accept a recommendation",
    dependencies=[idempotent()],
    responses=answers(_EXAMPLE, *_ERRORS),
)
async def accept_recommendation(
    recommendation_id: Id, caller: Decider, services: ServicesDep, body: OptionalNote
) -> RecommendationAnswer:
    """Ask for a decision to do it: it stands in the inbox of decisions from now on. 409 where it is closed."""

    def accept(plant: Plant) -> Recommendation:
        found = services.recommendations.get(recommendation_id)
        device = plant.name(found.proposal.source, found.proposal.device)
        return services.recommendations.accept(recommendation_id, by=caller.name, note=body.note, device=device)

    return await _done(services, accept)


@router.post(
    "/{recommendation_id}/dismiss",
    summary="Dismiss a recommendation",
    dependencies=[idempotent()],
    responses=answers(_EXAMPLE, *_ERRORS),
)
async def dismiss_recommendation(
    recommendation_id: Id, caller: Decider, services: ServicesDep, body: OptionalNote
) -> RecommendationAnswer:
    """Say that it will not be done; its rule is silent about the device for a week. 409 where it is closed."""
    return await _done(
        services, lambda _: services.recommendations.dismiss(recommendation_id, by=caller.name, note=body.note)
    )


async def _done(services: Services, change: Callable[[Plant], Recommendation]) -> RecommendationAnswer:
    def do(views: Views) -> RecommendationAnswer:
        plant = Plant.seen(services, views)
        return _answer(change(plant), plant)

    return await services.threads.run(do)


def _answer(one: Recommendation, plant: Plant) -> RecommendationAnswer:
    proposal = one.proposal
    return RecommendationAnswer(
        id=one.id,
        type=proposal.type,
        priority_level=proposal.priority,
        title=proposal.title,
        action=proposal.action,
        urgency=proposal.urgency,
        impact=proposal.impact,
        composite_score=proposal.composite,
        timeframe=proposal.timeframe,
        source=proposal.origin,
        rule=proposal.rule,
        device_id=plant.name(proposal.source, proposal.device),
        evidence=[EvidenceAnswer(kind=each.kind, id=each.id, facts=dict(each.facts)) for each in proposal.evidence],
        state=one.state,
        created_at=one.opened_at,
        changed_at=one.changed_at,
        decided_by=one.by or None,
        request_id=one.request_id or None,
    )
