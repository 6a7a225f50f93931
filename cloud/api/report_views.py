"""How reports, exports and tasks look in the API: what asks for them, how far they are, and where their files are."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cloud.api.scalars import WHOLE, Truth
from cloud.api.times import Time
from cloud.domain.identity import shown
from cloud.domain.job import Job, JobState, Vocabulary
from cloud.domain.report import TOP, Cell, ReportFormat, ReportRequest, ReportType
from cloud.errors import NotFound
from cloud.jobs.queue import JOB
from cloud.operations.downloads import Downloads
from cloud.operations.traffic import RouteFigures, Traffic

_TASK = "job_0197f3a25c1e7d409a6b001122334455"
_NAME = "health_report_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.html"
PENDING_EXAMPLE = {"task_id": _TASK, "status": "PENDING"}
TASK_EXAMPLE: dict[str, Any] = {
    "task_id": _TASK,
    "status": "SUCCESS",
    "result": {
        "status": "SUCCESS",
        "report_path": f"/reports/{_NAME}",
        "filename": _NAME,
        "download_url": f"/reports/{_NAME}?expires=1768559400&signature={'0' * 64}",
    },
}
REPORT_EXAMPLE: dict[str, Any] = {
    "report_id": "rpt_0197f3a25c1e7d409a6b001122334455",
    "report_type": "anomaly_summary",
    "format": "json",
    "content": '{"figures":{"alarms":0}}',
    "generated_at": "2026-01-15T10:30:00Z",
    "charts_encoded": {},
    "metadata": {
        "date_range": "2025-12-15 to 2026-01-15",
        "filename": "anomaly_summary_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.json",
        "report_path": "/reports/anomaly_summary_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.json",
        "media_type": "application/json",
        "content_encoding": "utf-8",
        "kept_until": "2026-04-15T10:30:00Z",
    },
}
EXPORT_EXAMPLE: dict[str, Any] = {
    "id": _TASK,
    "status": "SUCCESS",
    "progress": 1.0,
    "format": "csv",
    "rows": 1200000,
    "size_bytes": 84000000,
    "filename": "export_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.csv",
    "export_path": "/exports/export_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.csv",
    "download_url": f"/exports/export_20260115T103000Z_0197f3a25c1e7d409a6b001122334455.csv?expires=1768559400&"
    f"signature={'0' * 64}",
}
_FILE = ("rows", "size_bytes", "filename", "export_path", "download_url")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
_MOST_ROUTES = 100


def _in_reach(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError(f"must lie between {_FIRST:%Y} and {_LAST:%Y}")
    return at.astimezone(UTC)


Moment = Annotated[Time, AfterValidator(_in_reach)]
"""A time with a zone that readings can be of."""


class ReportParameters(BaseModel):
    """What narrows a report down; top: lines of a ranking."""

    model_config = ConfigDict(extra="forbid")

    device_id: Annotated[str, Field(max_length=200)] = ""
    gateway_id: Annotated[str, Field(max_length=64)] = ""
    top: Annotated[int, Field(ge=1, le=100), WHOLE] = TOP


class ReportBody(BaseModel):
    """What is to be reported: time_range_start <= time < time_range_end."""

    model_config = ConfigDict(extra="forbid")

    report_type: ReportType
    format: ReportFormat = ReportFormat.JSON
    time_range_start: Moment
    time_range_end: Moment
    include_charts: Truth = False
    parameters: ReportParameters = ReportParameters()

    def request(self, traffic: Traffic) -> ReportRequest:
        """Return what it asks for; traffic: of this process, which only it can tell of."""
        is_wanted = self.report_type is ReportType.PERFORMANCE_SUMMARY
        return ReportRequest(
            report_type=self.report_type,
            format=self.format,
            start=self.time_range_start,
            end=self.time_range_end,
            has_charts=self.include_charts,
            device=self.parameters.device_id,
            gateway=self.parameters.gateway_id,
            top=self.parameters.top,
            requests=tuple(_of_route(one) for one in traffic.slowest(_MOST_ROUTES)) if is_wanted else (),
        )


def _of_route(one: RouteFigures) -> dict[str, Cell]:
    return {
        "route": f"{one.method} {one.handler}",
        "requests": one.count,
        "failures": one.failures,
        "mean_ms": round(one.mean_s * 1e3, 3),
        "longest_ms": round(one.longest_s * 1e3, 3),
    }


class ReportMetadata(BaseModel):
    """What is known of a report; content_encoding: `base64` for a PDF, else `utf-8`."""

    date_range: str
    filename: str
    report_path: str
    media_type: str
    content_encoding: str
    kept_until: datetime


class ReportView(BaseModel):
    """A report; charts_encoded: PNG in base64, by name."""

    report_id: str
    report_type: ReportType
    format: ReportFormat
    content: str
    generated_at: datetime
    charts_encoded: dict[str, str]
    metadata: ReportMetadata


class TaskView(BaseModel):
    """A task in the documents' words; result: once it succeeded, error: why it failed."""

    task_id: str
    status: str
    result: dict[str, Any] | None = None
    error: str | None = None


class ExportView(BaseModel):
    """How far an export is; progress is 0 to 1; export_path: where it is fetched from once it is there."""

    id: str
    status: str
    progress: float
    format: str
    rows: int | None = None
    size_bytes: int | None = None
    filename: str | None = None
    export_path: str | None = None
    download_url: str | None = None
    error: str | None = None


def show_task(job: Job, downloads: Downloads) -> TaskView:
    """Return a job as a task; raise Unavailable."""
    return TaskView(
        task_id=shown(JOB, job.id),
        status=job.word(Vocabulary.TASKS),
        result=_result(job, downloads) if job.state is JobState.SUCCEEDED else None,
        error=why(job) or None,
    )


def show_export(job: Job, downloads: Downloads) -> ExportView:
    """Return a job as an export; raise Unavailable."""
    result = _result(job, downloads) if job.state is JobState.SUCCEEDED else {}
    facts = {name: result[name] for name in _FILE if name in result}
    return ExportView(
        id=shown(JOB, job.id),
        status=job.word(Vocabulary.TASKS),
        progress=job.progress.share,
        format=str(job.parameters.get("format", "")),
        error=why(job) or None,
        **facts,
    )


def why(job: Job) -> str:
    """Return why a job came to nothing, empty where it did not."""
    if job.state is JobState.CANCELLED:
        return f"cancelled by {job.cancelled_by}"
    return job.failure.message if job.failure is not None else ""


def _result(job: Job, downloads: Downloads) -> dict[str, Any]:
    """Return what a job made, with a link to its file as long as that is kept."""
    found = downloads.of_job(job.id)
    plain = {name: value for name, value in job.result.items() if name != "charts"}
    return plain if found is None else plain | {"download_url": downloads.link(found)}


def show_report(job: Job, downloads: Downloads) -> ReportView:
    """Return a report that is there with its content and its charts; raise NotFound, Unavailable."""
    made = downloads.of_job(job.id)
    if made is None:
        raise NotFound(f"the report of job {job.id} is forgotten", code="REPORT_NOT_FOUND")
    content = downloads.content(made)
    is_text = made.facts["format"] != ReportFormat.PDF
    return ReportView(
        report_id=str(made.facts["report_id"]),
        report_type=ReportType(str(made.facts["report_type"])),
        format=ReportFormat(str(made.facts["format"])),
        content=content.decode() if is_text else base64.b64encode(content).decode(),
        generated_at=made.made_at,
        charts_encoded=dict(downloads.charts(made)),
        metadata=ReportMetadata(
            date_range=str(made.facts["date_range"]),
            filename=made.name,
            report_path=made.path,
            media_type=made.media_type,
            content_encoding="utf-8" if is_text else "base64",
            kept_until=made.kept_until,
        ),
    )
