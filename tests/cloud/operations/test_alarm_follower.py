"""From a gateway's events to alarms: each event counts once, and none blocks those behind it."""

import logging
from collections.abc import Iterator

import pytest

from cloud.domain.alarm import Alarm, AlarmState, Seen, Severity
from cloud.errors import Conflict
from cloud.operations.alarm_follower import FOLLOWER, AlarmFollower
from cloud.operations.gateway_events import GatewayEvents
from cloud.records.alarms import AlarmFilter, KeptAlarms, list_alarms
from cloud.records.database import Records
from cloud.records.followers import read_progress
from cloud.storage.chunks.database import Database
from protocols.anomaly import RESET, AnomalySource
from protocols.batch import GatewayEvent
from tests.support.alarms import anomaly, closed, happened, opened, told
from tests.support.cloud_clock import START_US
from tests.support.ingest import EPOCH, GATEWAY, Desk, hello


@pytest.fixture
def events(desk: Desk) -> Iterator[GatewayEvents]:
    made = GatewayEvents(Database(desk.database.path, read_only=True))
    yield made
    made.close()


@pytest.fixture
def follower(records: Records, events: GatewayEvents) -> AlarmFollower:
    return AlarmFollower(records, events)


def alarms(records: Records) -> list[Alarm]:
    with records.reading() as session:
        return list_alarms(session, AlarmFilter(), limit=10_000)[0][::-1]


def unreadable(records: Records) -> int:
    with records.reading() as session:
        return read_progress(session, FOLLOWER).unreadable


def test_an_anomaly_becomes_an_alarm_that_says_what_and_where(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(opened(1))
    follower.follow()
    (alarm,) = alarms(records)
    assert alarm.finding.message == (
        "vibration of pump-1 is unlike its normal behaviour (score 0.93, 71 % vibration, 18 % pressure)"
    )
    assert (alarm.condition.source, alarm.condition.device, alarm.finding.channel) == (GATEWAY, "pump-1", "vibration")
    assert (alarm.state, alarm.finding.severity) == (AlarmState.UNACK_ACTIVE, Severity.WARNING)
    assert (alarm.onset_us, alarm.raised_us) == (START_US - 1_000_000, START_US)
    assert (alarm.finding.model, alarm.finding.shares[0]) == ("own@3", ("vibration", 0.71))


def test_a_closed_episode_clears_its_alarm_and_brings_its_peak(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(opened(1), closed(2, anomaly(at_s=30, peak=0.99, channel="flow")))
    follower.follow()
    (alarm,) = alarms(records)
    assert (alarm.state, alarm.finding.peak) == (AlarmState.UNACK_CLEARED, 0.99)
    assert alarm.cleared_us == START_US + 30_000_000


def test_a_closing_of_another_episode_clears_nothing(desk: Desk, follower: AlarmFollower, records: Records) -> None:
    desk.batches(opened(1), closed(2, anomaly("e-0")))
    follower.follow()
    assert alarms(records)[0].is_active


def test_a_reopened_condition_is_the_same_alarm(desk: Desk, follower: AlarmFollower, records: Records) -> None:
    desk.batches(opened(1), closed(2, anomaly(at_s=10)), opened(3, anomaly("e-2", at_s=200)))
    follower.follow()
    (alarm,) = alarms(records)
    assert (alarm.occurrences, alarm.state, alarm.finding.episode) == (2, AlarmState.UNACK_ACTIVE, "e-2")


def test_a_rule_has_an_alarm_a_channel_and_a_model_one_a_device(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(
        opened(1),
        opened(2, anomaly("r-1", channel="pressure", source=AnomalySource.RANGE, limit="12.5 above 10 bar")),
        opened(3, anomaly("r-2", channel="flow", source=AnomalySource.RANGE)),
        opened(4, anomaly("m-2", channel="flow")),
    )
    follower.follow()
    assert [(one.condition.kind, one.condition.point, one.occurrences) for one in alarms(records)] == [
        ("anomaly", "", 2),
        ("range", "pressure", 1),
        ("range", "flow", 1),
    ]
    assert alarms(records)[1].finding.message == "pressure of pump-1 is out of its range: 12.5 above 10 bar"
    assert alarms(records)[1].finding.severity is Severity.CRITICAL


def test_a_gateway_that_starts_anew_clears_what_its_earlier_run_opened(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(opened(1), happened(2, "model_off", device="pump-2"), happened(3, "device_lost", device="pump-3"))
    desk.batches(happened(1, RESET, epoch=8, at_s=60), opened(2, anomaly("n-1", device="pump-4"), epoch=8))
    follower.follow()
    assert {(one.condition.device, one.is_active) for one in alarms(records)} == {
        ("pump-1", False),
        ("pump-2", False),
        ("pump-3", True),
        ("pump-4", True),
    }


def test_what_an_earlier_run_opened_and_told_late_is_over_at_once(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.hello(hello(epoch=8))
    desk.batches(happened(1, RESET, epoch=8))
    desk.batches(opened(1, epoch=EPOCH))
    follower.follow()
    (alarm,) = alarms(records)
    assert (alarm.state, alarm.occurrences) == (AlarmState.UNACK_CLEARED, 1)


def test_a_lost_device_is_an_alarm_until_it_is_back(desk: Desk, follower: AlarmFollower, records: Records) -> None:
    desk.batches(happened(1, "device_lost", device="pump-1", detail={"reason": "timed out"}))
    follower.follow()
    assert alarms(records)[0].finding.message == "pump-1 does not answer any more: timed out"
    desk.batches(happened(2, "device_back", device="pump-1", at_s=9))
    follower.follow()
    assert alarms(records)[0].state is AlarmState.UNACK_CLEARED


def test_what_happens_in_a_moment_is_raised_and_over(desk: Desk, follower: AlarmFollower, records: Records) -> None:
    desk.batches(
        happened(1, "readings_lost_before_the_buffer", detail={"readings": 12, "reason": "the disk is too slow"}),
        happened(2, "clock_stepped", detail={"stepped_us": -1_500_000, "is_set": True}),
        happened(3, "readings_refused"),
        happened(4, "something_new"),
    )
    follower.follow()
    assert [(one.finding.severity.value, one.state.value, one.finding.message) for one in alarms(records)] == [
        ("critical", "unack_cleared", "gw-1 lost 12 readings before they were buffered: the disk is too slow"),
        ("info", "unack_cleared", "the clock of gw-1 was set by -1.500 s"),
        ("warning", "unack_cleared", "the buffer of gw-1 refused some readings"),
    ]


@pytest.mark.parametrize("name", ["model_refused", "model_rolled_back"])
def test_a_package_that_is_refused_or_fell_is_an_alarm_that_says_why(
    desk: Desk, follower: AlarmFollower, records: Records, name: str
) -> None:
    detail: dict[str, str | int | float | bool] = {
        "name": "pump",
        "version": 3,
        "reason": "tampered",
        "detail": "a hash does not hold",
    }
    desk.batches(happened(1, name, device="pump-1", detail=detail))
    follower.follow()
    (alarm,) = alarms(records)
    assert (alarm.condition.kind, alarm.condition.device, alarm.state.value) == (name, "pump-1", "unack_cleared")
    assert all(word in alarm.finding.message for word in ("pump@3", "tampered", "a hash does not hold"))


def test_a_model_that_judges_again_ends_the_alarm_that_none_does(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(happened(1, "model_off", device="pump-1", detail={"reason": "too slow"}), opened(2))
    follower.follow()
    assert [(one.condition.kind, one.is_active) for one in alarms(records)] == [("model_off", False), ("anomaly", True)]


def test_events_that_cannot_be_read_are_counted_logged_once_and_block_nothing(
    desk: Desk, follower: AlarmFollower, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    broken = anomaly().event("anomaly_opened")
    no_score = GatewayEvent(START_US, broken.name, broken.device, {**broken.detail, "score": "high"})
    desk.batches(told(1, no_score), told(2, no_score), happened(3, "anomaly_closed"), opened(4))
    with desk.database.transaction():
        desk.database.execute("update gateway_event set detail = '{' where seq = 2")
    with caplog.at_level(logging.WARNING):
        follower.follow()
    assert len(alarms(records)) == 1
    assert unreadable(records) == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]


class Killed(Exception):
    """What ends a process in the middle."""


@pytest.mark.parametrize("dies_at", range(4))
def test_a_follower_killed_at_any_alarm_counts_each_event_once(
    desk: Desk, records: Records, events: GatewayEvents, dies_at: int
) -> None:
    desk.batches(*(opened(seq, anomaly(f"e-{seq}", device=f"pump-{seq}")) for seq in range(1, 5)))
    drawn: list[str] = []

    def draw() -> str:
        if len(drawn) == dies_at:
            raise Killed
        drawn.append(f"id-{len(drawn)}")
        return drawn[-1]

    with pytest.raises(Killed):
        AlarmFollower(records, events, new_id=draw).follow()
    assert alarms(records) == []
    AlarmFollower(records, events).follow()
    AlarmFollower(records, events).follow()
    assert [(one.condition.device, one.occurrences) for one in alarms(records)] == [
        (f"pump-{number}", 1) for number in range(1, 5)
    ]


def test_two_followers_at_once_count_each_event_once(desk: Desk, records: Records, events: GatewayEvents) -> None:
    first, second = AlarmFollower(records, events), AlarmFollower(records, events)
    first.follow()
    second.follow()
    desk.batches(happened(1, "clock_stepped"), happened(2, "clock_stepped"))
    first.follow()
    second.follow()
    assert [one.occurrences for one in alarms(records)] == [2]


def test_a_follower_whose_records_refuse_takes_the_same_events_again(
    desk: Desk, records: Records, events: GatewayEvents
) -> None:
    follower = AlarmFollower(records, events, new_id=lambda: "taken")
    desk.batches(opened(1))
    follower.follow()
    desk.batches(opened(2, anomaly(device="pump-2")), happened(3, "something_new"))
    for _ in range(2):
        with pytest.raises(Conflict):
            follower.follow()
    AlarmFollower(records, events).follow()
    assert [(one.condition.device, one.occurrences) for one in alarms(records)] == [("pump-1", 1), ("pump-2", 1)]


def test_readings_restored_from_an_older_backup_are_followed_from_their_end(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(*(happened(seq, "clock_stepped") for seq in range(1, 6)))
    follower.follow()
    with desk.database.transaction():
        desk.database.execute("delete from gateway_event where id > 2")
        desk.database.execute("update sqlite_sequence set seq = 2 where name = 'gateway_event'")
    follower.follow()
    desk.batches(happened(9, "clock_stepped"))
    follower.follow()
    assert [one.occurrences for one in alarms(records)] == [6]


@pytest.mark.slow
def test_a_flood_of_5000_is_5000_alarms_and_one_more_is_there_in_one_round(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    desk.batches(*(opened(seq, anomaly(f"e-{seq}", device=f"pump-{seq}")) for seq in range(1, 5001)))
    while follower.follow():
        pass
    desk.batches(opened(5001, anomaly("more", device="pump-7")), opened(5002, anomaly("new", device="other")))
    assert not follower.follow()
    found = {one.condition.device: one for one in alarms(records)}
    assert len(found) == 5001
    assert (found["pump-7"].occurrences, found["other"].state) == (2, AlarmState.UNACK_ACTIVE)


def test_a_flood_of_one_condition_is_one_alarm_that_chatters(
    desk: Desk, follower: AlarmFollower, records: Records
) -> None:
    with_gaps = [
        frame
        for number in range(200)
        for frame in (
            opened(2 * number + 1, anomaly(f"e-{number}", at_s=10 * number)),
            closed(2 * number + 2, anomaly(f"e-{number}", at_s=10 * number + 5)),
        )
    ]
    desk.batches(*with_gaps[:100])
    follower.follow()
    with records.writing() as session:
        kept = KeptAlarms(session)
        for alarm in kept.active(kinds=["anomaly"]) or kept.many([one.id for one in alarms(records)]):
            kept.put(alarm.acknowledge(Seen("ann", START_US)))
    desk.batches(*with_gaps[100:])
    follower.follow()
    (alarm,) = alarms(records)
    assert (alarm.occurrences, alarm.chattering_since_us) == (200, START_US)
    assert alarm.state is AlarmState.NORMAL
