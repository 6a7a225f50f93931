"""Time and alarms: what nobody saw gets worse, planned work keeps its machines quiet, and feeds are told of it all."""

from datetime import timedelta

import pytest

from cloud.domain.alarm import Condition, Severity
from cloud.domain.alarm_words import Clear, Raise
from cloud.domain.notice import NoticeKind
from cloud.domain.planned_event import EventType, PlannedEvent
from cloud.domain.times import to_datetime
from cloud.operations.alarm_watch import ESCALATE_AFTER, AlarmWatch
from cloud.operations.alarms import Alarms
from cloud.operations.raising import apply_steps
from cloud.ports import StoredDevice
from cloud.records.alarms import AlarmFilter, devices_in_alarm
from cloud.records.database import Records
from cloud.records.devices import register_devices
from cloud.records.notices import read_notices
from cloud.records.planned_events import add_event, cancel_event
from cloud.records.settings import keep_setting
from protocols.tag import DeviceInfo
from tests.support.alarms import PUMP, finding
from tests.support.cloud_clock import HandClock

OTHER = Condition("gw-2", "pump-9", "anomaly")
_ALERT, _CHANGED, _SEEN = NoticeKind.ALERT, NoticeKind.ALERT_CHANGED, NoticeKind.ALERT_ACKNOWLEDGED


class Plant:
    """Two pumps of two gateways, and the watch over their alarms."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.clock = HandClock()
        self.alarms = Alarms(records, self.clock)
        self.watch = AlarmWatch(records, self.clock)
        told = [
            StoredDevice("gw-1", DeviceInfo("pump-1", "pump", "Pump", "Hall 1")),
            StoredDevice("gw-2", DeviceInfo("pump-9", "pump", "Pump", "Hall 2")),
        ]
        with records.writing() as session:
            register_devices(session, told)

    def raise_(self, condition: Condition = PUMP, *, at_s: float = 0.0, episode: str = "e-1") -> None:
        with self.records.writing() as session:
            apply_steps(session, [Raise(condition, finding(at_s, episode=episode))], by="gateway")

    def clear(self, condition: Condition = PUMP, *, at_s: float = 0.0) -> None:
        with self.records.writing() as session:
            apply_steps(session, [Clear(condition, finding(at_s).at_us)], by="gateway")

    def escalate_after(self, minutes: int) -> None:
        with self.records.writing() as session:
            keep_setting(session, ESCALATE_AFTER, minutes, to_datetime(self.clock.now_us()), by="ann")

    def plan(self, event_type: EventType, **metadata: object) -> str:
        now = to_datetime(self.clock.now_us())
        event = PlannedEvent(
            "e" * 36, event_type, "work", now, now + timedelta(hours=1), 0.5, "ann", now, metadata=metadata
        )
        with self.records.writing() as session:
            add_event(session, event)
        return event.id

    def told(self) -> list[tuple[NoticeKind, object]]:
        with self.records.reading() as session:
            notices = read_notices(session, after=0, limit=100)
        changes = [(one.kind, one.data["change"]) for one in notices]
        return [(kind, change["action"]) for kind, change in changes if isinstance(change, dict)]

    def in_alarm(self) -> list[str]:
        with self.records.reading() as session:
            return sorted(device for _, device, _ in devices_in_alarm(session))


@pytest.fixture
def plant(records: Records) -> Plant:
    return Plant(records)


def the_alarm(plant: Plant) -> str:
    return plant.alarms.list(AlarmFilter(), limit=1)[0][0].id


def test_feeds_are_told_of_every_change_in_its_transaction(plant: Plant) -> None:
    plant.raise_()
    alarm = the_alarm(plant)
    plant.alarms.acknowledge(alarm, by="ann")
    plant.alarms.acknowledge(alarm, by="bob")
    plant.alarms.assign(alarm, "bob", by="ann")
    plant.alarms.comment(alarm, "warm", by="bob")
    plant.clear(at_s=5)
    assert plant.told() == [
        (_ALERT, "raise"),
        (_SEEN, "acknowledge"),
        (_CHANGED, "assign"),
        (_CHANGED, "comment"),
        (_CHANGED, "clear"),
    ]


def test_a_notice_carries_the_alert_as_the_documents_show_it(plant: Plant) -> None:
    plant.raise_()
    with plant.records.reading() as session:
        (notice,) = read_notices(session, after=0, limit=10)
    assert (notice.device, notice.gateway, notice.subject) == ("pump-1", "gw-1", the_alarm(plant))
    documented = ("device_id", "rule_name", "severity", "acknowledged", "resolved", "value", "metadata")
    assert {name: notice.data[name] for name in documented} == {
        "device_id": "pump-1",
        "rule_name": "anomaly",
        "severity": "warning",
        "acknowledged": False,
        "resolved": False,
        "value": None,
        "metadata": {"source": "gw-1", "episode": "e-1"},
    }


def test_an_alarm_out_of_sight_and_one_that_chatters_are_no_news(plant: Plant) -> None:
    plant.raise_()
    plant.alarms.shelve(the_alarm(plant), for_s=600, by="ann")
    plant.clear(at_s=1)
    plant.raise_(at_s=2, episode="e-2")
    plant.alarms.unshelve(the_alarm(plant), by="ann")
    plant.clear(at_s=3)
    plant.raise_(at_s=4, episode="e-3")
    raises = [kind for kind, action in plant.told() if action == "raise"]
    assert raises == [_ALERT, _CHANGED, _CHANGED]


def test_what_nobody_saw_gets_one_step_worse_once(plant: Plant) -> None:
    plant.escalate_after(10)
    plant.raise_()
    plant.clock.move(599)
    plant.watch.look()
    assert plant.alarms.get(the_alarm(plant)).alarm.finding.severity is Severity.WARNING
    plant.clock.move(2)
    plant.watch.look()
    plant.watch.look()
    alarm = plant.alarms.get(the_alarm(plant)).alarm
    assert (alarm.finding.severity, alarm.escalated_us) == (Severity.CRITICAL, plant.clock.now_us())
    assert plant.told() == [(_ALERT, "raise"), (_ALERT, "escalate")]


@pytest.mark.parametrize("what", ["acknowledge", "clear"])
def test_what_somebody_saw_or_what_is_over_does_not_escalate(plant: Plant, what: str) -> None:
    plant.escalate_after(10)
    plant.raise_()
    if what == "acknowledge":
        plant.alarms.acknowledge(the_alarm(plant), by="ann")
    else:
        plant.clear(at_s=1)
    plant.clock.move(3600)
    plant.watch.look()
    assert plant.alarms.get(the_alarm(plant)).alarm.escalated_us is None


def test_nothing_escalates_where_nobody_asked_for_it(plant: Plant) -> None:
    plant.raise_()
    plant.clock.move(86_400)
    plant.watch.look()
    assert plant.alarms.get(the_alarm(plant)).alarm.escalated_us is None


@pytest.mark.parametrize(
    ("event_type", "metadata", "audible"),
    [
        (EventType.SCHEDULED_MAINTENANCE, {"device_id": "pump-1"}, ["pump-9"]),
        (EventType.SCHEDULED_MAINTENANCE, {"devices": ["pump-1", "pump-9"]}, []),
        (EventType.SCHEDULED_MAINTENANCE, {"gateways": ["gw-2"]}, ["pump-1"]),
        (EventType.SCHEDULED_MAINTENANCE, {"site": "Hall 2"}, ["pump-1"]),
        (EventType.SCHEDULED_MAINTENANCE, {}, ["pump-1", "pump-9"]),
        (EventType.PLANT_SHUTDOWN, {}, []),
        (EventType.SHIFT_CHANGE, {"site": "Hall 2"}, ["pump-1", "pump-9"]),
    ],
)
def test_planned_work_keeps_the_alarms_of_its_scope_quiet(
    plant: Plant, event_type: EventType, metadata: dict[str, object], audible: list[str]
) -> None:
    plant.plan(event_type, **metadata)
    plant.raise_()
    plant.raise_(OTHER)
    assert plant.in_alarm() == audible
    assert [kind for kind, _ in plant.told()].count(_ALERT) == len(audible)


def test_an_alarm_that_was_there_before_the_work_is_muted_and_speaks_again_after_it(plant: Plant) -> None:
    plant.raise_()
    event = plant.plan(EventType.SCHEDULED_MAINTENANCE, device_id="pump-1")
    plant.watch.look()
    alarm = plant.alarms.get(the_alarm(plant)).alarm
    assert (alarm.muted_by, alarm.is_active, plant.in_alarm()) == (event, True, [])
    plant.clock.move(3601)
    plant.watch.look()
    assert plant.in_alarm() == ["pump-1"]
    assert plant.told() == [(_ALERT, "raise"), (_CHANGED, "mute"), (_ALERT, "unmute")]


def test_work_that_is_called_off_mutes_no_more_and_muted_alarms_do_not_escalate(plant: Plant) -> None:
    plant.escalate_after(1)
    event = plant.plan(EventType.SCHEDULED_MAINTENANCE, device_id="pump-1")
    plant.raise_()
    plant.clock.move(600)
    plant.watch.look()
    assert plant.alarms.get(the_alarm(plant)).alarm.escalated_us is None
    with plant.records.writing() as session:
        cancel_event(session, event, to_datetime(plant.clock.now_us()))
    plant.watch.look()
    assert plant.in_alarm() == ["pump-1"]
