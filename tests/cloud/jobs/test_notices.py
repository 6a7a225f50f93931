"""What live feeds and webhooks are told of jobs, in the transaction of each change."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.job import Failing, Failure, JobKind, JobLimits, NewJob
from cloud.domain.job_news import duration_text
from cloud.domain.notice import Notice, NoticeKind
from cloud.errors import Unavailable
from cloud.jobs.reporter import Reporter
from cloud.records.jobs import Outcome, claim_job, conclude, succeed
from cloud.records.notices import read_notices
from tests.support.cloud import MovedClock
from tests.support.jobs import Shop


def notices(shop: Shop) -> Sequence[Notice]:
    with shop.records.reading() as session:
        return read_notices(session, after=0, limit=1000)


def claim(shop: Shop, run: str = "a") -> None:
    with shop.records.writing() as session:
        claim_job(session, run, shop.jobs.now())


def told(shop: Shop, name: str) -> list[Any]:
    return [notice.data[name] for notice in notices(shop)]


def test_a_training_tells_how_far_it_is_and_reaches_100_before_it_is_completed(shop: Shop) -> None:
    job = shop.add("work")
    claim(shop)
    clock = MovedClock()
    reporter = Reporter(shop.records, clock, "a")
    for share in (0.25, 0.5, 0.75):
        reporter(share, "learning")
        clock.ahead_s += 60
    with shop.records.writing() as session:
        succeed(session, "a", Outcome({"metrics": {"accuracy": 0.847}}), shop.jobs.now())
    assert told(shop, "status") == ["queued", *["training"] * 5, "completed"]
    assert told(shop, "progress") == [0, 0, 25, 50, 75, 100, 100]
    assert told(shop, "live_accuracy")[-2:] == [0.847, 0.847]
    assert set(told(shop, "job_id")) == {f"job_{job.id}"}
    remaining = str(notices(shop)[4].data["estimated_remaining"])
    assert 40 <= int(remaining.removesuffix("s")) < 60


def test_many_small_steps_are_told_twice_a_second_at_most(shop: Shop) -> None:
    shop.add("work")
    claim(shop)
    clock = MovedClock()
    clock.now_us = lambda: 0  # type: ignore[method-assign] # a clock that stands still
    clock.monotonic_s = lambda: 1.0  # type: ignore[method-assign] # a clock that stands still
    reporter = Reporter(shop.records, clock, "a")
    for number in range(20):
        reporter(number / 20, f"tree {number}")
    assert len(notices(shop)) == 3


def test_a_change_that_fails_tells_nothing(shop: Shop) -> None:
    shop.add("work")
    claim(shop)
    before = len(notices(shop))

    def breaks(_session: object) -> None:
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable), shop.records.writing() as session:
        succeed(session, "a", Outcome({}, breaks), shop.jobs.now())
    assert len(notices(shop)) == before


def test_a_job_that_is_no_training_speaks_the_words_of_tasks(shop: Shop) -> None:
    job = shop.jobs.add(NewJob(JobKind.REPORT, {}, JobLimits(1, 256), "test"))
    claim(shop)
    with shop.records.writing() as session:
        conclude(session, "a", Failure(Failing.CRASHED, "no ink"), shop.jobs.now())
    assert {notice.kind for notice in notices(shop)} == {NoticeKind.TASK_UPDATE}
    assert told(shop, "status") == ["PENDING", "STARTED", "FAILURE"]
    assert notices(shop)[-1].data["message"] == "no ink"
    assert notices(shop)[-1].subject == f"job_{job.id}"


def test_a_retraining_that_succeeded_is_a_model_retrained(shop: Shop) -> None:
    shop.jobs.add(NewJob(JobKind.RETRAIN, {}, JobLimits(1, 256), "test"))
    claim(shop)
    with shop.records.writing() as session:
        succeed(session, "a", Outcome({"model": "pumps", "is_promoted": True}), shop.jobs.now())
    last = notices(shop)[-1]
    assert last.kind is NoticeKind.MODEL_RETRAINED
    assert (last.data["model_name"], last.data["is_promoted"]) == ("pumps", True)


def test_a_cancelled_job_says_by_whom(shop: Shop) -> None:
    job = shop.add("work")
    shop.jobs.cancel(job.id, by="anna")
    assert notices(shop)[-1].data["message"] == "cancelled by anna"


DURATIONS = [(0, "0s"), (45, "45s"), (135, "2m 15s"), (3900, "1h 5m"), (59.2, "1m 0s")]


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.floats(0, 1e6))
def test_a_duration_is_never_told_shorter_than_its_minutes(seconds: float) -> None:
    text = duration_text(seconds)
    units = {"s": 1, "m": 60, "h": 3600}
    value = sum(int(part[:-1]) * units[part[-1]] for part in text.split())
    assert value >= math.floor(min(seconds, seconds - seconds % 60 if seconds >= 3600 else seconds))
