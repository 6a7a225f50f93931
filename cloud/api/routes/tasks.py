"""/tasks: long work in the documents' words."""

from cloud.api.deps import Admin, Reporter, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.report_views import PENDING_EXAMPLE, TASK_EXAMPLE, WEEK, TaskView, show_task
from cloud.api.resource import Resource
from cloud.domain.report import ReportFormat, ReportRequest, ReportType
from cloud.domain.times import to_datetime

router = Resource(prefix="/tasks", tags=["tasks"])


@router.post(
    "/start_report",
    status_code=202,
    summary="Start a health report",
    dependencies=[idempotent(), limited("5/hour")],
    response_model_exclude_none=True,
    responses=answers(PENDING_EXAMPLE, 401, 403, 503, good=202),
)
async def start_report(caller: Admin, services: ServicesDep) -> TaskView:
    """Ask for a health report of the last seven days, with charts, as an HTML page."""
    now = to_datetime(services.clock.now_us())
    request = ReportRequest(ReportType.SYSTEM_HEALTH, ReportFormat.HTML, now - WEEK, now, has_charts=True)

    def ask() -> TaskView:
        return show_task(services.reports.ask(request, by=caller.name), services.downloads)

    return await services.threads.run(lambda _: ask())


@router.get(
    "/status/{task_id}",
    summary="Show a task",
    dependencies=[limited("60/minute")],
    response_model_exclude_none=True,
    responses=answers(TASK_EXAMPLE, 401, 403, 404, 422, 503),
)
async def task_status(task_id: str, _caller: Reporter, services: ServicesDep) -> TaskView:
    """Show how far a task is, and once it has succeeded where its file is."""
    return await services.threads.run(lambda _: show_task(services.jobs.get(task_id), services.downloads))
