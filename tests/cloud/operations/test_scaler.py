"""Scaler: a decision is carried out, looked at two minutes later, kept or taken back; asked for where people say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from cloud.domain.decision import Choice, Decision
from cloud.domain.load import MINUTE_US, Service
from cloud.domain.notice import NoticeKind
from cloud.domain.scaling import Bounds, Outlook, ScalingDecision, Status, Verification
from cloud.domain.times import to_datetime
from cloud.errors import Invalid, NotFound
from cloud.operations.executors.dry_run import DryRun
from cloud.operations.scaler import Scaler
from cloud.operations.scaling import Scaling
from cloud.operations.situations import Situations
from cloud.records.database import Records
from cloud.records.decisions import decide as keep_answer
from cloud.records.decisions import draw_event_id, list_requests
from cloud.records.load import learn_capacity
from cloud.records.notices import read_notices
from cloud.records.scaling import scaling_counts
from cloud.records.settings import keep_setting
from tests.support.cloud import MovedClock
from tests.support.pools import MemoryPools, calm_host, fill_load
from tests.support.records import new_records


@dataclass(slots=True)
class Room:
    """A scaler over real records, with processes in memory and a forecast that the test says."""

    records: Records
    clock: MovedClock
    pools: MemoryPools
    scaler: Scaler
    scaling: Scaling
    ahead: Outlook

    @property
    def minute(self) -> int:
        """Return the current minute."""
        return self.clock.now_us() // MINUTE_US

    def put_to_the_test(self, per_s: float) -> None:
        """Let an instance of ingest do so much while something waits, and let nothing be going on since."""
        fill_load(self.records, Service.INGEST, {self.minute - 10: per_s}, busy=True)
        with self.records.writing() as session:
            learn_capacity(session, Service.INGEST, before=self.minute)

    def later(self, seconds: float) -> None:
        """Let time go by, and look."""
        self.clock.ahead_s += seconds
        self.scaler.look()

    def newest(self) -> ScalingDecision:
        """Return the newest decision."""
        return self.scaling.decisions(service=None, status=None, limit=1, offset=0)[0][0]

    def told(self) -> list[NoticeKind]:
        """Return what feeds and webhooks were told of scaling."""
        with self.records.reading() as session:
            found = read_notices(session, after=0, limit=100)
        return [one.kind for one in found if one.kind.value.startswith("scaling.")]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Give a room of its own to each test."""
    records, clock, pools = new_records(tmp_path), MovedClock(), MemoryPools()
    made: list[Room] = []

    def ahead(_session: Session, service: Service, _now: datetime) -> Outlook:
        return made[0].ahead if service is Service.INGEST else Outlook()

    situations = Situations({one: Bounds(1, 4) for one in Service}, pools, ahead, calm_host)
    scaler = Scaler(records, clock, pools, situations)
    made.append(Room(records, clock, pools, scaler, Scaling(records, clock, situations), Outlook()))
    yield made[0]
    records.close()


def grown(room: Room) -> Room:
    """Let ingest grow from one to two instances by a forecast."""
    room.put_to_the_test(100.0)
    room.ahead = Outlook(p90=120.0, p99=130.0, confidence=0.8, events=("shift_change_1",))
    room.later(11)
    room.later(1)
    return room


def test_a_forecast_makes_a_service_grow_and_the_growth_is_verified(room: Room) -> None:
    grown(room)
    decision = room.newest()
    assert (decision.status, decision.change.target, decision.change.events) == (
        Status.EXECUTED,
        2,
        ("shift_change_1",),
    )
    assert room.pools.counts["ingest"].alive == 2
    assert room.told() == [NoticeKind.SCALING_PENDING, NoticeKind.SCALING_EXECUTED]
    fill_load(room.records, Service.INGEST, {room.minute + 1: 110.0}, lag_s=0.2)
    room.later(121)
    assert (room.newest().status, room.newest().verification) == (Status.EXECUTED, Verification.SUCCESS)
    with room.records.reading() as session:
        assert [(one.label, one.value) for one in scaling_counts(session)] == [("scale_up", 1.0)]


def test_a_process_that_dies_after_the_growth_takes_it_back_and_webhooks_are_told(room: Room) -> None:
    grown(room)
    room.pools.kill_one("ingest", room.clock.now_us())
    room.later(121)
    decision = room.newest()
    assert (decision.status, decision.verification) == (Status.ROLLED_BACK, Verification.FAILED)
    assert "died" in decision.problem
    assert room.pools.counts["ingest"].alive == 1
    assert room.told()[-1] is NoticeKind.SCALING_ROLLED_BACK


def test_messages_that_still_wait_take_it_back(room: Room) -> None:
    grown(room)
    fill_load(room.records, Service.INGEST, {room.minute + 1: 110.0}, lag_s=2.5)
    room.later(121)
    assert room.newest().status is Status.ROLLED_BACK
    assert "2.5 s" in room.newest().problem


def test_without_a_supervisor_a_decision_fails_and_nothing_is_wanted(room: Room) -> None:
    room.put_to_the_test(100.0)
    room.pools.is_away = True
    room.scaling.set("ingest", 3, "why not", by="anna")
    room.later(1)
    assert room.newest().status is Status.FAILED
    assert "no supervisor" in room.newest().problem
    assert room.told() == [NoticeKind.SCALING_PENDING, NoticeKind.SCALING_FAILED]
    assert room.scaling.status()[0].wanted.instances == 1


def test_a_persons_word_holds_for_an_hour(room: Room) -> None:
    room.put_to_the_test(100.0)
    room.scaling.set("ingest", 1, "the line stands still", by="anna")
    room.later(1)
    assert room.newest().status is Status.EXECUTED
    room.ahead = Outlook(p90=300.0, p99=300.0)
    room.later(3500)
    assert room.newest().change.target == 1
    standing = room.scaling.status()[0]
    assert (standing.status, standing.verdict.desired, standing.verdict.change) == ("held", 4, None)
    room.later(120)
    assert room.newest().change.target == 4


def test_the_newest_word_of_people_counts(room: Room) -> None:
    first = room.scaling.set("ingest", 2, "a", by="anna")
    room.scaling.set("ingest", 3, "b", by="ben")
    room.later(1)
    assert room.pools.counts["ingest"].alive == 3
    found, _ = room.scaling.decisions(service="ingest", status=Status.FAILED, limit=9, offset=0)
    assert [one.id for one in found] == [first.id]
    room.scaling.set("ingest", 1, "c", by="anna")
    room.later(1)
    room.later(121)
    newest, _ = room.scaling.decisions(service=None, status=None, limit=2, offset=0)
    assert [one.verification for one in newest] == [Verification.SUCCESS, Verification.SUPERSEDED]


def test_services_of_one_pool_get_what_the_larger_one_needs(room: Room) -> None:
    room.scaling.set("api", 2, "a", by="anna")
    room.scaling.set("inference", 3, "b", by="anna")
    room.later(1)
    assert room.pools.counts["api"].alive == 3
    room.scaling.set("inference", 1, "c", by="anna")
    room.later(1)
    assert room.pools.counts["api"].alive == 2


def test_what_is_wanted_is_asked_of_an_executor_that_forgot(room: Room) -> None:
    room.scaling.set("jobs", 2, "a", by="anna")
    room.later(1)
    pools, bounds = MemoryPools(), {one: Bounds(1, 4) for one in Service}
    situations = Situations(bounds, pools, lambda *_: Outlook(), calm_host)
    Scaler(room.records, room.clock, pools, situations, is_automatic=False).look()
    assert pools.counts["jobs"].alive == 2


def test_the_least_of_a_service_is_there_though_nobody_ever_decided_anything(room: Room) -> None:
    bounds = {one: Bounds(4 if one is Service.API else 1, 4) for one in Service}
    situations = Situations(bounds, room.pools, lambda *_: Outlook(), calm_host)
    Scaler(room.records, room.clock, room.pools, situations, is_automatic=False).look()
    assert {pool: found.alive for pool, found in room.pools.counts.items()} == {"ingest": 1, "api": 4, "jobs": 1}


@pytest.mark.parametrize(("choice", "status"), [(Choice.APPROVE, Status.EXECUTED), (Choice.REJECT, Status.FAILED)])
def test_where_people_must_approve_nothing_happens_before_they_did(room: Room, choice: Choice, status: Status) -> None:
    with room.records.writing() as session:
        keep_setting(session, "scaling.approval", True, to_datetime(room.clock.now_us()), by="anna")  # noqa: FBT003 - its value
    grown(room)
    assert room.newest().status is Status.PENDING
    assert room.pools.counts["ingest"].alive == 1
    now = to_datetime(room.clock.now_us())
    with room.records.writing() as session:
        (request,), _ = list_requests(session)
        assert (request.subject, request.evidence["decision_id"]) == ("ingest", room.newest().id)
        keep_answer(session, Decision(draw_event_id(), request.id, choice, "because", "anna", "user:anna", now))
    room.later(1)
    assert room.newest().status is status
    assert room.pools.counts["ingest"].alive == (2 if choice is Choice.APPROVE else 1)


def test_targets_out_of_bounds_and_services_that_are_none_are_refused(room: Room) -> None:
    with pytest.raises(Invalid):
        room.scaling.set("ingest", 5, "x", by="anna")
    with pytest.raises(NotFound):
        room.scaling.set("billing", 1, "x", by="anna")
    assert room.scaling.decisions(service=None, status=None, limit=9, offset=0) == ([], 0)


def test_a_dry_run_says_that_there_is_what_was_asked_for(tmp_path: Path) -> None:
    DryRun(tmp_path / "dry").want({"ingest": 3})
    DryRun(tmp_path / "dry").want({"api": 2})
    assert {pool: one.alive for pool, one in DryRun(tmp_path / "dry").running().items()} == {"ingest": 3, "api": 2}
