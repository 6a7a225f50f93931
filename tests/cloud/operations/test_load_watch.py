"""Minutes of load: what ingest, the queue and the API count becomes bins, and overload teaches what can be done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.domain.job import JobKind, JobLimits, NewJob
from cloud.domain.load import MINUTE_US, Minute, Service
from cloud.domain.times import to_datetime
from cloud.operations.api_load import ApiLoad
from cloud.operations.host import HostMeter
from cloud.operations.load_watch import Counted, LoadWatch
from cloud.records.database import Records
from cloud.records.jobs import add_job
from cloud.records.load import capacity_of, load_minutes
from tests.support.cloud import MovedClock
from tests.support.records import new_records

BATCHES = ("lineside_ingest_batches_total", "stored")
READINGS = ("lineside_ingest_readings_total", "stored")
FUTURE = ("lineside_ingest_readings_total", "future")
LAGGING = ("lineside_ingest_lagging_seconds", "")
DONE = ("lineside_ingest_done_while_lagging", "")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Give records of its own to each test."""
    made = new_records(tmp_path)
    yield made
    made.close()


class StillClock(MovedClock):
    """Time that only a test moves, from the first second of a minute on."""

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return 29_000_000 * MINUTE_US + round((1 + self.ahead_s) * 1e6)

    def monotonic_s(self) -> float:
        """Return seconds."""
        return self.ahead_s


def all_minutes(records: Records, service: Service) -> list[Minute]:
    with records.reading() as session:
        return list(load_minutes(session, service, since=0, until=1 << 40))


def test_what_ingest_counts_becomes_minutes_and_a_capacity(records: Records) -> None:
    clock, told = StillClock(), dict[tuple[str, str], float]({BATCHES: 1000.0, READINGS: 5000.0})
    watch = LoadWatch(records, clock, ingest=lambda: told, instances=lambda _: 2, online=lambda: 7)
    clock.ahead_s += 5
    watch.look()
    clock.ahead_s += 10
    told |= {BATCHES: 1300.0, READINGS: 8000.0, FUTURE: 99.0, LAGGING: 8.0, DONE: 200.0}
    watch.look()
    (minute,) = all_minutes(records, Service.INGEST)
    assert minute.per_s == pytest.approx(30, rel=0.02)
    assert minute.readings_per_s == pytest.approx(300, rel=0.02)
    assert minute.online == 7
    clock.ahead_s += 55
    watch.look()
    with records.reading() as session:
        assert capacity_of(session, Service.INGEST) == pytest.approx(200 / (2 * 8.0))


def test_an_ingest_process_that_began_anew_or_is_away_tells_nothing_false(records: Records) -> None:
    clock = StillClock()
    answers: list[Counted | None] = [{BATCHES: 1000.0}, None, {BATCHES: 30.0}]
    watch = LoadWatch(records, clock, ingest=lambda: answers.pop(0), instances=lambda _: 1, online=lambda: 0)
    for _ in range(3):
        clock.ahead_s += 5
        watch.look()
    (minute,) = all_minutes(records, Service.INGEST)
    assert minute.per_s == pytest.approx(6, rel=0.02)


def test_jobs_that_wait_are_the_lag_of_jobs(records: Records) -> None:
    clock = StillClock()
    watch = LoadWatch(records, clock, ingest=lambda: None, instances=lambda _: 1, online=lambda: 0)
    clock.ahead_s += 5
    with records.writing() as session:
        new = NewJob(JobKind.TRAIN, {}, requested_by="anna", limits=JobLimits(60, 256))
        add_job(session, "a" * 32, new, to_datetime(clock.now_us()))
    clock.ahead_s += 5
    watch.look()
    (minute,) = all_minutes(records, Service.JOBS)
    assert [minute.per_s, minute.lag_s] == pytest.approx([0.1, 5], rel=0.02)
    assert all_minutes(records, Service.INGEST) == []


def test_the_api_counts_requests_and_those_that_run_models(records: Records) -> None:
    clock = StillClock()
    load = ApiLoad(records, clock, instance="api-1")
    for handler in ("/api/v1/devices", "/api/ml/predict", "/api/v1/detection/explain", "unmatched"):
        load.count(handler)
    load.lagged(0.01, 1.0)
    load.count("/api/v1/devices")
    load.lagged(0.3, 1.0)
    clock.ahead_s += 10
    load.write()
    (api,), (inference,) = all_minutes(records, Service.API), all_minutes(records, Service.INFERENCE)
    assert [api.per_s, inference.per_s] == pytest.approx([0.5, 0.2], rel=0.02)
    assert api.lag_s == 0.3
    load.write()
    assert all_minutes(records, Service.API)[0].per_s == pytest.approx(0.5, rel=0.02)
    load.stop()


def test_the_hosts_load_is_a_share_and_nothing_where_the_kernel_does_not_tell(tmp_path: Path) -> None:
    clock = MovedClock()
    (tmp_path / "stat").write_text("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n")
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 250 kB\n")
    meter = HostMeter(clock, tmp_path)
    (tmp_path / "stat").write_text("cpu  160 0 120 715 105 0 0 0 0 0\ncpu0 1\n")
    clock.ahead_s = 2.0
    assert (meter.look().cpu, meter.look().memory) == (0.8, 0.75)
    assert HostMeter(clock, tmp_path / "nowhere").look().cpu == 0
