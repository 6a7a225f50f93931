"""GET /activity: who did what, the newest first, out of the audit."""

from datetime import UTC
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel

from cloud.api.deps import ServicesDep, SystemReader
from cloud.api.document import answers
from cloud.api.pagination import Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.times import AnyTime
from cloud.domain.activity import Activity
from cloud.domain.identity import shown
from cloud.domain.times import to_text, to_us

router = Resource(prefix="/activity", tags=["settings"])
_ONE = {
    "id": "act_123",
    "type": "deployment",
    "message": "Model pump-health was deployed",
    "timestamp": "2026-01-15T10:35:00Z",
    "user": "system",
    "details": {"subject": "pump-health", "accuracy": 0.895},
}
_EXAMPLE = {"activities": [_ONE], "total": 150, "limit": 50}


class ActivityAnswer(BaseModel):
    """One change; details: facts about it, with what it was done to as `subject`."""

    id: str
    type: str
    message: str
    timestamp: str
    user: str
    details: dict[str, object]


class ActivitiesAnswer(BaseModel):
    """Some of the newest changes, and how many there are in all."""

    activities: list[ActivityAnswer]
    total: int
    limit: int


@router.get("", responses=answers(_EXAMPLE, 401, 403, 422, 503))
async def list_activity(
    request: Request,
    response: Response,
    _caller: SystemReader,
    services: ServicesDep,
    kind: Annotated[
        str | None,
        Query(
            alias="type", pattern="^[a-z_]{1,40}$", description="upload, training, deployment, prediction, alarm ..."
        ),
    ] = None,
    since: Annotated[
        AnyTime | None, Query(description="Only what was done after this; UTC where it says no zone.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Offset = 0,
) -> ActivitiesAnswer:
    """List what was done, the newest first."""
    after = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    found, total = await services.threads.run(
        lambda _: services.activities.list(kind=kind, since=after, limit=limit, offset=offset)
    )
    tell_pages(total, request, response, limit=limit, offset=offset)
    return ActivitiesAnswer(activities=[_show(one) for one in found], total=total, limit=limit)


def _show(one: Activity) -> ActivityAnswer:
    return ActivityAnswer(
        id=shown("act", str(one.number)),
        type=one.type,
        message=one.message,
        timestamp=to_text(to_us(one.at)),
        user=one.user,
        details=dict(one.details),
    )
