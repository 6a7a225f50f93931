"""GET /devices/{device_id}/failure: how likely a Device fails soon, and how long it will last."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from cloud.analysis.failures import DEFAULT_HORIZON_H
from cloud.api.deps import Predictor, ServicesDep
from cloud.api.document import answers
from cloud.api.failure_answers import FAILURE_EXAMPLE, FailurePrediction
from cloud.api.resource import Resource
from cloud.domain.failure import FailureEstimate
from cloud.services import Views

router = Resource(prefix="/devices", tags=["predictions"])
_EXAMPLE = {
    "device_id": "pump-1",
    "failure_prediction": FAILURE_EXAMPLE,
    "remaining_life": {"earliest_h": 61.0, "expected_h": 140.5, "latest_h": 410.0},
}


class RemainingLifeAnswer(BaseModel):
    """Hours until a failure: in the middle, and where four of five cases lie; null beyond ten years."""

    earliest_h: float | None
    expected_h: float | None
    latest_h: float | None


class FailureAnswer(BaseModel):
    """What is expected of a Device."""

    device_id: str
    failure_prediction: FailurePrediction
    remaining_life: RemainingLifeAnswer


@router.get(
    "/{device_id}/failure",
    summary="Predict a device's failure",
    responses=answers(_EXAMPLE, 401, 403, 404, 422, 503),
)
async def device_failure(
    device_id: str,
    _caller: Predictor,
    services: ServicesDep,
    horizon_hours: Annotated[float, Query(gt=0, le=8760)] = DEFAULT_HORIZON_H,
) -> FailureAnswer:
    """Chance of reaching a critical limit or a failure within the horizon, and the remaining life.

    404 with less than 24 h of data, or where neither a limit nor a failure model is known.
    """

    def estimate(views: Views) -> FailureAnswer:
        device = services.registry.find(device_id, views.store.devices)
        return _answer(device_id, services.failures.estimate(views.store, device, horizon_hours=horizon_hours))

    return await services.threads.run(estimate)


def _answer(device_id: str, found: FailureEstimate) -> FailureAnswer:
    life = RemainingLifeAnswer(
        earliest_h=found.earliest_life_h, expected_h=found.expected_life_h, latest_h=found.latest_life_h
    )
    return FailureAnswer(device_id=device_id, failure_prediction=FailurePrediction.of(found), remaining_life=life)
