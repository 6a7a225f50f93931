"""Reports as jobs: asked for once a week, and written although the worker dies in the middle."""

import os
import signal
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.job import Job, JobKind, JobLimits, JobState
from cloud.domain.report import ReportFormat, ReportRequest, ReportType
from cloud.domain.times import to_datetime
from cloud.jobs.queue import Jobs
from cloud.jobs.reports import Reports
from cloud.jobs.runner import Runner
from cloud.jobs.weekly import DAY, DAYS, HOUR, WeeklyReport, last_due
from cloud.jobs.writing_reports import EVENT
from cloud.records.database import Records
from cloud.records.deliveries import list_deliveries
from cloud.records.downloads import downloads_of
from cloud.records.settings import keep_setting
from tests.support.cloud import MovedClock
from tests.support.cloud_clock import HandClock
from tests.support.jobs import Shop
from tests.support.waiting import wait_until

LIMITS = JobLimits(60.0, 2048)
VIENNA = ZoneInfo("Europe/Vienna")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HEALTH = ReportRequest(ReportType.SYSTEM_HEALTH, ReportFormat.HTML, NOW - timedelta(7), NOW, is_mailed=True)


def set_to(records: Records, **values: str | int | bool) -> None:
    keys = {"day": DAY, "hour": HOUR, "mails": "notifications.emailEnabled", "address": "notifications.emailAddress"}
    with records.writing() as session:
        for name, value in values.items():
            keep_setting(session, keys[name], value, NOW, by="ann")


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(DAYS),
    st.integers(0, 23),
)
def test_the_last_due_hour_is_of_that_day_in_the_plant_and_within_a_week(at: datetime, day: str, hour: int) -> None:
    now = at.replace(tzinfo=UTC)
    due = last_due(now, VIENNA, day=day, hour=hour)
    assert (DAYS[due.weekday()], due.hour) == (day, hour)
    assert due <= now < due + timedelta(days=7, hours=2)


def test_a_report_is_asked_for_once_a_week_from_its_hour_on(shop: Shop) -> None:
    clock = HandClock(round(datetime(2026, 3, 2, 4, 59, tzinfo=UTC).timestamp() * 1e6))
    weekly = WeeklyReport(shop.records, clock, Reports(Jobs(shop.records, clock), LIMITS))
    weekly.look()
    assert shop.jobs.list()[1] == 0
    set_to(shop.records, day="monday", hour=6)
    weekly.look()
    assert shop.jobs.list()[1] == 1
    clock.move(3600)
    weekly.look()
    assert shop.jobs.list()[1] == 1
    clock.move(3600)
    weekly.look()
    weekly.look()
    newest, count = shop.jobs.list()
    assert count == 2
    assert newest[0].parameters["end"] == "2026-03-02T06:00:00Z"


def begun(shop: Shop, clock: MovedClock) -> tuple[Job, Runner]:
    """Return a report that was begun by a worker that is gone since, as its process is."""
    job = Reports(shop.jobs, LIMITS).ask(HEALTH, by="ann")
    gone = Runner(shop.records, clock, shop.settings.model_dump_json(), most=1)
    gone.look()
    (child,) = gone._children  # noqa: SLF001 - whom to kill
    os.kill(child.process.pid, signal.SIGKILL)
    child.let_go()
    return job, gone


@pytest.mark.slow
def test_a_report_whose_worker_died_is_written_by_the_next_one_and_mailed_once(shop: Shop) -> None:
    set_to(shop.records, mails=True, address="ops@example.com")
    clock = MovedClock()
    job, _ = begun(shop, clock)
    assert shop.jobs.get(job.id).state is JobState.RUNNING
    clock.ahead_s = 60
    runner = Runner(shop.records, clock, shop.settings.model_dump_json(), most=1)

    def has_ended() -> bool:
        runner.look()
        return shop.jobs.get(job.id).state.is_final

    try:
        wait_until(has_ended, deadline_s=120)
    finally:
        runner.stop()
    done = shop.jobs.get(job.id)
    assert (done.kind, done.state, done.attempt) == (JobKind.REPORT, JobState.SUCCEEDED, 2), done.failure
    with shop.records.reading() as session:
        (made,) = downloads_of(session, job.id)
        (mail,), _ = list_deliveries(session, webhook="", limit=10)
    assert done.result["report_path"] == made.path
    assert (mail.event_type, mail.target) == (EVENT, "mailto:ops@example.com")
    assert made.made_at < to_datetime(clock.now_us())
