"""The queue: who gets which job, once; who may still report for it; what is shown of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cloud.clock import SystemClock
from cloud.domain.job import Failing, Failure, Job, JobKind, JobLimits, JobState, NewJob, Progress, Vocabulary
from cloud.errors import NotFound, Unavailable
from cloud.jobs.queue import Jobs
from cloud.records.jobs import (
    LEASE,
    Outcome,
    claim_job,
    conclude,
    note_progress,
    reap,
    renew_leases,
    succeed,
)
from tests.support.jobs import Shop

GONE = Failure(Failing.WORKER_DIED, "gone")


def claim(shop: Shop, run: str) -> Job | None:
    with shop.records.writing() as session:
        return claim_job(session, run, shop.jobs.now())


def reaped(shop: Shop, *, after: timedelta, but: Sequence[str] = ()) -> list[JobState]:
    with shop.records.writing() as session:
        return [job.state for job in reap(session, but=but, failure=GONE, at=shop.jobs.now() + after)]


def test_two_workers_never_get_one_job_twice(shop: Shop) -> None:
    wanted = [shop.add("work").id for _ in range(40)]

    def take_all(worker: int) -> list[str]:
        taken: list[str] = []
        while (job := claim(shop, f"{worker}-{len(taken)}")) is not None:
            taken.append(job.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [one for part in pool.map(take_all, range(4)) for one in part]
    assert sorted(taken) == sorted(wanted)


def test_a_higher_priority_goes_first_and_equal_ones_in_order(shop: Shop) -> None:
    limits = JobLimits(1, 256)
    added = [shop.jobs.add(NewJob(JobKind.TRAIN, {}, limits, "test", priority=p)) for p in (0, 5, 5, -1)]
    order = [claim(shop, str(number)) for number in range(4)]
    assert [job and job.id for job in order] == [added[1].id, added[2].id, added[0].id, added[3].id]


def test_a_lease_that_is_renewed_is_never_taken(shop: Shop) -> None:
    shop.add("work")
    claim(shop, "a")
    with shop.records.writing() as session:
        renew_leases(session, ["a"], shop.jobs.now() + LEASE)
    assert reaped(shop, after=1.5 * LEASE) == []
    assert reaped(shop, after=2.5 * LEASE, but=["a"]) == []
    assert reaped(shop, after=2.5 * LEASE) == [JobState.FAILED]


def test_a_job_with_attempts_left_begins_again_and_its_first_run_can_keep_nothing(shop: Shop) -> None:
    job = shop.add("work", attempts=2)
    claim(shop, "a")
    assert reaped(shop, after=2 * LEASE) == [JobState.QUEUED]
    assert claim(shop, "b") is not None
    kept = []
    with shop.records.writing() as session:
        late = succeed(session, "a", Outcome({"by": "a"}, lambda _: kept.append("a")), shop.jobs.now())
        assert conclude(session, "a", GONE, shop.jobs.now()) is None
        assert not note_progress(session, "a", Progress(0.9))
    with shop.records.writing() as session:
        done = succeed(session, "b", Outcome({"by": "b"}, lambda _: kept.append("b")), shop.jobs.now())
    assert (late, done, kept) == (False, True, ["b"])
    assert shop.jobs.get(job.id).result == {"by": "b"}
    shop.add("work", attempts=2)
    for run in "cd":
        claim(shop, run)
        last = reaped(shop, after=2 * LEASE)
    assert last == [JobState.FAILED]


def test_what_a_job_keeps_and_its_success_are_one_transaction(shop: Shop) -> None:
    job = shop.add("work")
    claim(shop, "a")

    def breaks(_session: object) -> None:
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable), shop.records.writing() as session:
        succeed(session, "a", Outcome({}, breaks), shop.jobs.now())
    assert shop.jobs.get(job.id).state is JobState.RUNNING


def test_progress_never_goes_back(shop: Shop) -> None:
    job = shop.add("work")
    claim(shop, "a")
    for share, step in ((0.5, "fit"), (0.25, "evaluate")):
        with shop.records.writing() as session:
            assert note_progress(session, "a", Progress(share, step))
    progress = shop.jobs.get(job.id).progress
    assert (progress.share, progress.step) == (0.5, "evaluate")


def test_a_waiting_job_that_is_cancelled_never_begins_and_cancelling_twice_keeps_the_first(shop: Shop) -> None:
    job = shop.add("work")
    assert shop.jobs.cancel(f"job_{job.id}", by="anna").state is JobState.CANCELLED
    again = shop.jobs.cancel(job.id, by="bert")
    assert (again.cancelled_by, again.ended_at is not None) == ("anna", True)
    assert claim(shop, "a") is None


def test_a_job_that_succeeded_stays_so_when_it_is_cancelled(shop: Shop) -> None:
    job = shop.add("work")
    claim(shop, "a")
    with shop.records.writing() as session:
        succeed(session, "a", Outcome(), shop.jobs.now())
    assert shop.jobs.cancel(job.id, by="anna").state is JobState.SUCCEEDED


def test_a_cancelled_run_cannot_succeed_any_more(shop: Shop) -> None:
    job = shop.add("work")
    claim(shop, "a")
    shop.jobs.cancel(job.id, by="anna")
    with shop.records.writing() as session:
        assert not succeed(session, "a", Outcome(), shop.jobs.now())
        conclude(session, "a", GONE, shop.jobs.now())
    assert shop.jobs.get(job.id).state is JobState.CANCELLED


@pytest.mark.parametrize("job_id", ["", "job_", "job_1", "nothing", "0" * 32, "job_" + "0" * 32, "x" * 10_000])
def test_a_job_that_is_not_there_is_not_found(shop: Shop, job_id: str) -> None:
    for ask in (shop.jobs.get, lambda one: shop.jobs.cancel(one, by="anna")):
        with pytest.raises(NotFound):
            ask(job_id)


def test_a_queue_that_is_full_takes_no_more(shop: Shop) -> None:
    jobs = Jobs(shop.records, SystemClock(), most_waiting=2)
    new = NewJob(JobKind.TRAIN, {}, JobLimits(1, 256), "test")
    jobs.add(new)
    jobs.add(new)
    with pytest.raises(Unavailable, match="2 jobs are waiting"):
        jobs.add(new)


def test_jobs_are_listed_newest_first_by_kind_and_state(shop: Shop) -> None:
    jobs = [shop.add("work") for _ in range(3)]
    claim(shop, "a")
    listed, total = shop.jobs.list(states=[JobState.QUEUED], limit=1)
    assert ([job.id for job in listed], total) == ([max(job.id for job in jobs[1:])], 2)
    assert shop.jobs.list(kinds=[JobKind.RETRAIN]) == ([], 0)


def test_each_document_has_its_own_word_for_a_state(shop: Shop) -> None:
    job = shop.add("work")
    assert [job.word(vocabulary) for vocabulary in Vocabulary] == ["queued", "queued", "PENDING"]
    running = claim(shop, "a")
    assert running is not None
    assert [running.word(vocabulary) for vocabulary in Vocabulary] == ["in_progress", "running", "STARTED"]
