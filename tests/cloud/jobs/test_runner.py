"""Jobs as processes: each ends as it should, whatever is killed, and what a dead one would have made is not there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cloud.domain.job import Failing, Job, JobState
from cloud.jobs.child import resident_mib
from cloud.jobs.runner import Runner
from tests.support.cloud import MovedClock
from tests.support.jobs import Shop
from tests.support.waiting import wait_until


@pytest.fixture
def runner(shop: Shop) -> Iterator[Runner]:
    """Give a worker that runs one job at a time."""
    made = shop.runner()
    yield made
    made.stop()


def reason(job: Job) -> tuple[JobState, Failing | None, str]:
    failure = job.failure
    return (job.state, None, "") if failure is None else (job.state, failure.reason, failure.message)


def pid_of(runner: Runner) -> int:
    (child,) = runner._children  # noqa: SLF001 - whom to kill
    return child.process.pid


def test_a_job_that_is_done_keeps_its_result_and_its_progress(shop: Shop, runner: Runner, tmp_path: Path) -> None:
    (job,) = shop.run_until_ended(runner, shop.add("work", path=str(tmp_path / "done")))
    assert (job.state, job.result, job.progress.share) == (JobState.SUCCEEDED, {"answer": 42}, 1.0)
    assert job.progress.step == "begun"
    assert job.started_at is not None
    assert job.ended_at is not None
    assert shop.served() == 1


def test_a_job_killed_with_sigkill_is_reported_failed_and_the_served_model_is_unchanged(
    shop: Shop, runner: Runner
) -> None:
    job = shop.run_until_working(runner, shop.add("wait"))
    os.kill(pid_of(runner), signal.SIGKILL)
    (ended,) = shop.run_until_ended(runner, job)
    assert reason(ended) == (JobState.FAILED, Failing.KILLED, "its process was killed by SIGKILL")
    assert shop.served() == 0


def test_a_job_over_its_time_limit_is_stopped_and_its_worker_is_free_for_the_next(
    shop: Shop, runner: Runner, tmp_path: Path
) -> None:
    endless, following = shop.add("spin", limit_s=1.5), shop.add("work", path=str(tmp_path / "done"))
    stopped, done = shop.run_until_ended(runner, endless, following)
    assert reason(stopped) == (
        JobState.FAILED,
        Failing.TIME_LIMIT,
        "stopped: it ran longer than its limit of 1.5 s",
    )
    assert done.state is JobState.SUCCEEDED
    assert shop.served() == 1


@pytest.mark.parametrize("do", ["swell", "ask for all"])
def test_a_job_over_its_memory_limit_is_stopped(shop: Shop, runner: Runner, do: str) -> None:
    (job,) = shop.run_until_ended(runner, shop.add(do, memory_mib=256))
    assert reason(job)[:2] == (JobState.FAILED, Failing.MEMORY_LIMIT)
    assert "256 MiB" in reason(job)[2]
    assert shop.served() == 0


def test_what_a_job_says_against_its_parameters_is_told_with_the_field(shop: Shop, runner: Runner) -> None:
    (job,) = shop.run_until_ended(runner, shop.add("refuse"))
    assert reason(job) == (JobState.FAILED, Failing.REFUSED, "target: only one class")
    assert job.failure is not None
    assert (job.failure.code, job.failure.details) == ("ONE_CLASS", {"field": "target"})


@pytest.mark.parametrize(("do", "told"), [("crash", "ZeroDivisionError: by zero"), ("exit", "ended with code 3")])
def test_a_job_that_breaks_is_failed_and_says_how(shop: Shop, runner: Runner, do: str, told: str) -> None:
    (job,) = shop.run_until_ended(runner, shop.add(do))
    assert reason(job)[:2] == (JobState.FAILED, Failing.CRASHED)
    assert told in reason(job)[2]


@pytest.mark.parametrize("do", ["wait", "wait watching"])
def test_a_running_job_that_is_cancelled_stops(shop: Shop, runner: Runner, do: str) -> None:
    job = shop.run_until_working(runner, shop.add(do))
    shop.jobs.cancel(job.id, by="anna")
    (ended,) = shop.run_until_ended(runner, job)
    assert (ended.state, ended.cancelled_by, ended.failure) == (JobState.CANCELLED, "anna", None)
    assert shop.served() == 0


def test_a_worker_that_stops_in_order_puts_its_job_back_and_another_one_does_it(shop: Shop, tmp_path: Path) -> None:
    first = shop.runner()
    job = shop.run_until_working(first, shop.add("wait"))
    pid = pid_of(first)
    first.stop()
    assert shop.jobs.get(job.id).state is JobState.QUEUED
    assert resident_mib(pid) == 0
    assert shop.jobs.get(job.id).attempt == 0
    _ = tmp_path


def test_no_more_jobs_run_at_once_than_were_allowed(shop: Shop) -> None:
    runner = shop.runner(most=2)
    for _ in range(3):
        shop.add("wait")
    runner.look()
    assert len(runner.running) == 2
    runner.stop()


def test_jobs_of_a_worker_that_was_killed_die_with_it_and_are_failed_by_the_next(shop: Shop) -> None:
    job = shop.add("wait")
    command = [sys.executable, "-m", "tests.support.jobs_worker", str(shop.settings.data)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as worker:
        try:
            wait_until(lambda: shop.jobs.get(job.id).progress.share > 0)
            (child,) = psutil.Process(worker.pid).children()
        finally:
            worker.kill()
    wait_until(lambda: resident_mib(child.pid) == 0)
    assert shop.jobs.get(job.id).state is JobState.RUNNING
    clock = MovedClock()
    clock.ahead_s = 16
    (ended,) = shop.run_until_ended(shop.runner(clock=clock), job)
    assert reason(ended) == (JobState.FAILED, Failing.WORKER_DIED, "the worker that ran it died")
    assert shop.served() == 0
