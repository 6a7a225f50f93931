"""What a job that reports does: stored facts become a file that people may fetch, and a mail where one is wanted."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from cloud.analysis.accuracy import measure
from cloud.analysis.health.planned import planned_away
from cloud.analysis.health.plant import member, system_health
from cloud.domain.delivery import NewDelivery
from cloud.domain.device_facts import DeviceFacts
from cloud.domain.download import Download, DownloadKind
from cloud.domain.forecast import Forecast
from cloud.domain.identity import shown
from cloud.domain.job import Job
from cloud.domain.report import MEDIA_TYPES, Report, ReportRequest
from cloud.domain.times import to_datetime
from cloud.domain.webhook import payload_of
from cloud.jobs.bench import Bench
from cloud.jobs.reports import REPORT
from cloud.learning.algorithm import Progress
from cloud.operations.reports.facts import Plant
from cloud.operations.reports.writing import make_report, write_report
from cloud.records.deliveries import add_delivery
from cloud.records.device_facts import all_facts
from cloud.records.downloads import add_download
from cloud.records.health_scores import newest_scores
from cloud.records.jobs import Outcome
from cloud.records.settings import is_set, text_of

KEPT = timedelta(days=90)
EVENT = "report.ready"


def write_one(bench: Bench, job: Job, progress: Progress) -> Outcome:
    """Write the report; raise Unavailable, Cancelled: then nothing of it stays."""
    request = msgspec.convert(job.parameters, ReportRequest)
    now = to_datetime(bench.clock.now_us())
    progress(0.1, "reading")
    with bench.records.reading() as session:
        report = make_report(session, request, _plant(bench), identity=job.id, now=now)
    progress(0.6, "writing")
    made = _kept(bench, job, report)

    def keep(session: Session) -> None:
        add_download(session, made)
        if request.is_mailed:
            _mail(session, report, made)

    told: dict[str, object] = {"status": "SUCCESS", "report_path": made.path, "filename": made.name, **made.facts}
    return Outcome(told, keep)


def _kept(bench: Bench, job: Job, report: Report) -> Download:
    """Return the report in the file store, each chart beside it."""
    name = shown(REPORT, job.id)
    file = bench.files.put(DownloadKind.REPORT.value, write_report(report, name))
    charts = {key: bench.files.put(DownloadKind.REPORT.value, picture).name for key, picture in report.charts.items()}
    request = report.request
    return Download(
        id=job.id,
        kind=DownloadKind.REPORT,
        name=request.file_name(job.id, report.generated_at),
        media_type=MEDIA_TYPES[request.format],
        file=file.name,
        size_bytes=file.size,
        by=job.requested_by,
        made_at=report.generated_at,
        kept_until=report.generated_at + KEPT,
        job=job.id,
        facts={
            "report_id": name,
            "report_type": request.report_type.value,
            "format": request.format.value,
            "date_range": request.date_range,
            "charts": charts,
        },
    )


def _mail(session: Session, report: Report, made: Download) -> None:
    """Put a mail with the figures and the way to the file on its way, where mails are sent at all."""
    address = text_of(session, "notifications.emailAddress")
    if not address or not is_set(session, "notifications.emailEnabled"):
        return
    figures = {one.name: one.value for one in report.findings.figures if one.value is not None}
    data = {"message": f"{report.title}, {report.request.date_range}", "report_path": made.path, **figures}
    new = NewDelivery(EVENT, payload_of(EVENT, report.generated_at, data), target=f"mailto:{address}")
    add_delivery(session, made.id, new, report.generated_at)


def _plant(bench: Bench) -> Plant:
    return Plant(bench.gateways, lambda: bench.readings().figures(), _health, _accuracy)


def _health(session: Session, now: datetime) -> int | None:
    facts, scores = all_facts(session), newest_scores(session)
    members = [member(facts.get(whose, DeviceFacts(*whose)), score) for whose, score in scores.items()]
    return system_health(members, planned_away(session, now))


def _accuracy(forecasts: Sequence[Forecast]) -> Mapping[str, float | None]:
    found = measure(forecasts)
    return {"mae": found.mae, "rmse": found.rmse, "mape": found.mape, "wape": found.wape, "r2": found.r2}
