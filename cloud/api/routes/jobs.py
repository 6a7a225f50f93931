"""GET, DELETE /jobs: what runs beside the requests, how far it is, and how it came out."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from cloud.api.deps import LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.job_view import JOB_EXAMPLE, JobView, show_job
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.domain.job import JobKind, JobState

router = Resource(prefix="/jobs", tags=["jobs"])


@router.get("", responses=answers([JOB_EXAMPLE], 401, 403, 422, 503))
async def list_jobs(
    request: Request,
    response: Response,
    _caller: LearningReader,
    services: ServicesDep,
    kind: Annotated[list[JobKind] | None, Query()] = None,
    state: Annotated[list[JobState] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Sequence[JobView]:
    """List the jobs, the newest first."""
    found, total = await services.threads.run(
        lambda _: services.jobs.list(kinds=kind or (), states=state or (), limit=limit, offset=offset)
    )
    tell_pages(total, request, response, limit=limit, offset=offset)
    return [show_job(job, services.clock) for job in found]


@router.get("/{job_id}", responses=answers(JOB_EXAMPLE, 401, 403, 404, 422, 503))
async def get_job(job_id: str, _caller: LearningReader, services: ServicesDep) -> JobView:
    """Show one job."""
    return show_job(await services.threads.run(lambda _: services.jobs.get(job_id)), services.clock)


@router.delete("/{job_id}", responses=answers(JOB_EXAMPLE, 401, 403, 404, 422, 503))
async def cancel_job(job_id: str, caller: LearningWriter, services: ServicesDep) -> JobView:
    """Cancel a job: one that waits never begins, one that runs is stopped; one that ended stays as it is."""
    job = await services.threads.run(lambda _: services.jobs.cancel(job_id, by=caller.name))
    return show_job(job, services.clock)
