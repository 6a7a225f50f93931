"""/export_data, /export: readings as files."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud.api.deps import Reporter, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.report_views import (
    EXPORT_EXAMPLE,
    PENDING_EXAMPLE,
    ExportView,
    Moment,
    TaskView,
    show_export,
    show_task,
)
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE
from cloud.domain.export import MOST_FILTERS, ExportFormat, ExportRequest
from cloud.domain.times import to_datetime, to_us
from cloud.services import Services, Views

router = Resource(tags=["exports"])
_MOST_DAYS = 3660
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=MOST_FILTERS)]
Days = Annotated[int, Field(ge=1, le=_MOST_DAYS), WHOLE]


class ExportBody(BaseModel):
    """from <= time < to, or the last so many days; without devices or metrics those of all."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat = ExportFormat.CSV
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    days: Days | None = None
    device_ids: Names = []
    metrics: Names = []

    @model_validator(mode="after")
    def _says_when_once(self) -> Self:
        if self.days is not None and (self.from_ is not None or self.to is not None):
            raise ValueError("days: goes without from and to")
        return self

    def request(self, services: Services, views: Views) -> ExportRequest:
        """Return what it asks for; raise NotFound for a device that never was."""
        now = to_datetime(services.clock.now_us())
        end = self.to or now
        start = self.from_ or end - timedelta(days=self.days or 7)
        devices = [services.registry.find(one, views.store.devices) for one in self.device_ids]
        pairs = tuple((one.source, one.device_id) for one in devices)
        return ExportRequest(self.format, to_us(start), to_us(end), pairs, tuple(self.metrics))


@router.get(
    "/export_data",
    status_code=202,
    summary="Export the last days",
    dependencies=[limited("10/hour")],
    response_model_exclude_none=True,
    responses=answers(PENDING_EXAMPLE, 401, 403, 422, 503, good=202),
)
async def export_data(
    response: Response,
    caller: Reporter,
    services: ServicesDep,
    format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002 - the documented word
    days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 7,
) -> TaskView:
    """Ask for a file with all readings of the last days. `POST /export` does the same and can choose."""
    response.headers["Cache-Control"] = "no-store"
    now_us = services.clock.now_us()
    request = ExportRequest(ExportFormat(format), now_us - days * 86_400_000_000, now_us)
    return await services.threads.run(
        lambda _: show_task(services.exports.ask(request, by=caller.name), services.downloads)
    )


@router.post(
    "/export",
    status_code=202,
    summary="Export readings",
    dependencies=[idempotent()],
    response_model_exclude_none=True,
    responses=answers({**EXPORT_EXAMPLE, "status": "PENDING"}, 400, 401, 403, 404, 409, 422, 503, good=202),
)
async def start_export(body: ExportBody, caller: Reporter, services: ServicesDep) -> ExportView:
    """Ask for a file with readings of some devices, metrics and time, as CSV, JSON or Parquet."""

    def ask(views: Views) -> ExportView:
        job = services.exports.ask(body.request(services, views), by=caller.name)
        return show_export(job, services.downloads)

    return await services.threads.run(ask)


@router.get(
    "/export/{export_id}",
    summary="Show an export",
    response_model_exclude_none=True,
    responses=answers(EXPORT_EXAMPLE, 401, 403, 404, 422, 503),
)
async def get_export(export_id: str, _caller: Reporter, services: ServicesDep) -> ExportView:
    """Show how far an export is, and once it is there a link that opens it for a day."""
    return await services.threads.run(lambda _: show_export(services.exports.get(export_id), services.downloads))
