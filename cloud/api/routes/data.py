"""POST /data/ingest: one reading of a sensor that sends by itself."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Header, Request
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import Sender, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.resource import Resource
from cloud.api.scalars import Number
from cloud.api.times import Time
from cloud.domain.direct_reading import DirectReading, SensorType
from cloud.domain.times import to_us

router = Resource(prefix="/data", tags=["readings"])
_EXAMPLE = {
    "status": "event_published",
    "event_id": "1f8b1d7c-0a6d-4b1b-8d2f-9a9b7e0c1234",
    "correlation_id": "e0c4d7a0-1234-4b2a-9a8b-001122334455",
    "sensor_id": "TEMP_001",
}


class Ingest(BaseModel):
    """One reading; without a timestamp it gets the time of arrival. A timestamp must carry its offset from UTC."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "sensor_id": "TEMP_001",
                "value": 25.5,
                "sensor_type": "temperature",
                "unit": "celsius",
                "location": "Factory Floor A",
                "timestamp": "2026-01-15T10:30:00Z",
            }
        },
    )

    sensor_id: Annotated[str, Field(min_length=1, max_length=64)]
    value: Number
    sensor_type: SensorType
    unit: Annotated[str, Field(max_length=64)] = ""
    location: Annotated[str | None, Field(max_length=200)] = None
    timestamp: Time | None = None


class Ingested(BaseModel):
    """What became of it; event_id is that of the first time the reading came."""

    status: Literal["event_published", "duplicate_ignored"]
    event_id: UUID
    correlation_id: str
    sensor_id: str


@router.post(
    "/ingest",
    summary="Send one reading",
    responses=answers(_EXAMPLE, 400, 401, 403, 413, 422, 503),
    openapi_extra={MISSING_IS_400: True},
)
async def ingest(
    body: Ingest,
    request: Request,
    caller: Sender,
    services: ServicesDep,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Ingested:
    """Durable when answered. A repeat, by Idempotency-Key (10 minutes) or by sensor, time and value, is ignored."""
    reading = DirectReading(
        sensor_id=body.sensor_id,
        value=body.value,
        sensor_type=body.sensor_type,
        unit=body.unit,
        location=body.location or "",
        time_us=None if body.timestamp is None else to_us(body.timestamp),
    )
    published = await services.direct_readings.publish(reading, caller=caller, key=idempotency_key)
    return Ingested(
        status="duplicate_ignored" if published.is_duplicate else "event_published",
        event_id=UUID(published.event_id),
        correlation_id=request.scope["request_id"],
        sensor_id=body.sensor_id,
    )
