"""GET /health_scores: how well each device is, 0 to 1, and what that is made of."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from cloud.api.deps import Reader, ServicesDep
from cloud.api.device_answers import rounded
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.domain.health import Band, HealthScore
from cloud.operations.moments import VITALS
from cloud.services import Views

router = Resource(tags=["health scores"])
_EXAMPLE = {"DEVICE_001": 0.92, "DEVICE_002": 0.75, "DEVICE_003": None}
_ERRORS = (401, 403, 404, 422, 503)
DeviceIds = Annotated[list[Annotated[str, Query(max_length=200)]], Query(description="Only these devices.")]


class HealthDetails(BaseModel):
    """A score, its parts from 0 to 1 (those that are not known are left out), and what they were computed from.

    is_stale: nothing came of late, so the last score stands; score: null where limits, anomalies and trend are all
    unknown.
    """

    score: float | None
    band: Band
    is_stale: bool
    components: dict[str, float]
    facts: dict[str, Any]
    computed_at: datetime | None
    measured_at: datetime | None


@router.get(
    "/health_scores",
    summary="Show the health scores of devices",
    dependencies=[limited("60/minute")],
    responses=answers(_EXAMPLE, *_ERRORS),
)
async def health_scores(
    _caller: Reader,
    services: ServicesDep,
    device_id: DeviceIds = [],  # noqa: B006 - FastAPI copies it
    *,
    details: Annotated[bool, Query(description="Show what each score is made of.")] = False,
) -> dict[str, float | HealthDetails | None]:
    """Every device with its newest score; null: not measured. 404 names a device that is not there."""

    def read(views: Views) -> dict[str, float | HealthDetails | None]:
        told = views.store.devices
        chosen = [services.registry.find(one, told) for one in device_id] or services.registry.all(told)
        whose = {one.shown_id: (one.source, one.device_id) for one in chosen}
        if details:
            found = services.health_scores.newest(set(whose.values()) if device_id else None)
            return {name: _details(found.get(one)) for name, one in whose.items()}
        vitals = services.moments.shared(VITALS, services.health_scores.vitals)
        return {name: rounded(vitals[one].score) if one in vitals else None for name, one in whose.items()}

    return await services.threads.run(read)


def _details(score: HealthScore | None) -> HealthDetails:
    if score is None:
        empty: dict[str, Any] = {"computed_at": None, "measured_at": None}
        return HealthDetails(score=None, band=Band.NORMAL, is_stale=False, components={}, facts={}, **empty)
    return HealthDetails(
        score=rounded(score.score),
        band=score.band,
        is_stale=score.is_stale,
        components={part.value: round(value, 4) for part, value in score.parts.items()},
        facts=dict(score.facts),
        computed_at=score.computed_at,
        measured_at=score.measured_at,
    )
