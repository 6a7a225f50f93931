"""WeeklyReport: once a week, on the day and at the hour that the settings say, a report by mail.

It remembers nothing: whether this week's was asked for stands among the jobs.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from cloud.domain.job import JobKind
from cloud.domain.report import ReportFormat, ReportRequest, ReportType
from cloud.domain.times import to_datetime
from cloud.jobs.reports import Reports
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.jobs import list_jobs
from cloud.records.settings import number_of, plant_zone, text_of

DAY, HOUR = "reports.weeklyDay", "reports.weeklyHour"
BY = "weekly report"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = timedelta(days=7)
_MOST = 500


class WeeklyReport:
    """One thread."""

    def __init__(self, records: Records, clock: Clock, reports: Reports) -> None:
        self._records = records
        self._clock = clock
        self._reports = reports

    def look(self) -> None:
        """Ask for the report that is due; raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            due = _due(session, now)
            if due is None or _was_asked(session, due):
                return
        request = ReportRequest(
            ReportType.SYSTEM_HEALTH, ReportFormat.HTML, due - _WEEK, due, has_charts=True, is_mailed=True
        )
        self._reports.ask(request, by=BY)


def last_due(now: datetime, zone: ZoneInfo, *, day: str, hour: int) -> datetime:
    """Return the newest such hour of such a day that is not ahead, in a plant's time zone."""
    local = now.astimezone(zone)
    back = (local.weekday() - DAYS.index(day)) % 7
    due = (local - timedelta(days=back)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return due if due <= local else due - _WEEK


def _due(session: Session, now: datetime) -> datetime | None:
    day = text_of(session, DAY)
    return None if day not in DAYS else last_due(now, plant_zone(session), day=day, hour=int(number_of(session, HOUR)))


def _was_asked(session: Session, due: datetime) -> bool:
    asked = list_jobs(session, kinds=[JobKind.REPORT], limit=_MOST)
    return any(job.requested_by == BY and job.created_at >= due for job in asked)
