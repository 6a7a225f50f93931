"""POST /reports/generate: a report, now."""

from fastapi import Response
from pydantic import BaseModel

from cloud.api.deps import Reporter, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.once import idempotent
from cloud.api.report_views import PENDING_EXAMPLE, REPORT_EXAMPLE, ReportBody, ReportView, TaskView, show_report, why
from cloud.api.resource import Resource
from cloud.api.waiting import ended
from cloud.domain.identity import shown
from cloud.domain.job import JobState, Vocabulary
from cloud.errors import Unavailable
from cloud.jobs.queue import JOB

router = Resource(prefix="/reports", tags=["reports"])


class Later(BaseModel):
    """The report is not ready yet; `/tasks/status/{task_id}` tells when it is."""

    task_id: str
    status: str


_ANSWERS = answers(REPORT_EXAMPLE, 400, 401, 403, 409, 422, 503) | {
    202: {"model": TaskView, "content": {"application/json": {"example": PENDING_EXAMPLE}}}
}


@router.post(
    "/generate",
    response_model=None,
    summary="Generate a report",
    dependencies=[idempotent()],
    responses=_ANSWERS | {200: _ANSWERS[200] | {"model": ReportView}},
    openapi_extra={MISSING_IS_400: True},
)
async def generate_report(
    body: ReportBody, response: Response, caller: Reporter, services: ServicesDep
) -> ReportView | Later:
    """Report what is stored. Written by a job; one that takes over a minute is answered with 202 and its task."""
    request = body.request(services.traffic)
    job = await services.threads.run(lambda _: services.reports.ask(request, by=caller.name))
    job = await ended(services, job)
    match job.state:
        case JobState.SUCCEEDED:
            return await services.threads.run(lambda _: show_report(job, services.downloads))
        case JobState.FAILED | JobState.CANCELLED:
            raise Unavailable(f"the report could not be written: {why(job)}", code="REPORT_FAILED")
        case JobState.QUEUED | JobState.RUNNING:
            response.status_code = 202
            return Later(task_id=shown(JOB, job.id), status=job.word(Vocabulary.TASKS))
