"""/detectors: what finds anomalies, set up by people, fitted by POST /detection/train."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from cloud.api.deps import LearningReader, LearningWriter, ServicesDep
from cloud.api.detector_views import DETECTOR, DetectorChange, DetectorView, NewDetector, show_detector
from cloud.api.document import answers
from cloud.api.limits import limited_as_documented
from cloud.api.pagination import Offset, paged
from cloud.api.resource import Resource
from cloud.learning.detectors import Change, Wish

router = Resource(prefix="/detectors", tags=["detectors"], dependencies=[])
_LIMITS = [limited_as_documented()]
_ONE = (401, 403, 404, 422, 503)


@router.get("", summary="List detectors", dependencies=_LIMITS, responses=answers([DETECTOR], 401, 403, 422, 503))
async def list_detectors(
    request: Request,
    response: Response,
    _caller: LearningReader,
    services: ServicesDep,
    algorithm: Annotated[str, Query(max_length=100, description="By any of its names.")] = "",
    is_fitted: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Offset = 0,
) -> Sequence[DetectorView]:
    """List detectors, the newest first; every model for anomalies is one."""
    found = await services.threads.run(lambda _: services.detectors.list(algorithm=algorithm, is_fitted=is_fitted))
    return paged([show_detector(one) for one in found], request, response, limit=limit, offset=offset)


@router.post(
    "",
    status_code=201,
    summary="Set up a detector",
    dependencies=_LIMITS,
    responses=answers(DETECTOR | {"is_fitted": False, "model_version": None}, 401, 403, 422, 503, good=201),
)
async def add_detector(body: NewDetector, caller: LearningWriter, services: ServicesDep) -> DetectorView:
    """Set up a detector by the name of its algorithm; it judges once it is fitted."""
    wish = Wish(body.name, body.algorithm_name, body.contamination_rate, body.hyperparameters, body.description)
    return show_detector(await services.threads.run(lambda _: services.detectors.create(wish, by=caller.name)))


@router.get("/{detector_id}", summary="Show one detector", dependencies=_LIMITS, responses=answers(DETECTOR, *_ONE))
async def get_detector(detector_id: str, _caller: LearningReader, services: ServicesDep) -> DetectorView:
    """Show a detector by its id, or by the name or id of its model."""
    return show_detector(await services.threads.run(lambda _: services.detectors.get(detector_id)))


@router.put("/{detector_id}", summary="Change a detector", dependencies=_LIMITS, responses=answers(DETECTOR, *_ONE))
async def change_detector(
    detector_id: str, body: DetectorChange, caller: LearningWriter, services: ServicesDep
) -> DetectorView:
    """Change what is named, and nothing else; with other hyperparameters it has to be fitted anew."""
    change = Change(body.name, body.description, body.hyperparameters)
    changed = await services.threads.run(lambda _: services.detectors.change(detector_id, change, by=caller.name))
    return show_detector(changed)


@router.delete(
    "/{detector_id}",
    status_code=204,
    summary="Delete a detector",
    dependencies=_LIMITS,
    responses=answers(None, 401, 403, 404, 409, 422, 503, good=204),
)
async def delete_detector(
    detector_id: str,
    caller: LearningWriter,
    services: ServicesDep,
    *,
    force: Annotated[bool, Query(description="Also while it serves.")] = False,
) -> None:
    """Delete a detector with all versions, their files, retrainings and runs."""
    await services.threads.run(lambda _: services.detectors.delete(detector_id, by=caller.name, force=force))
