"""Deliveries: signed, retried after 2, 4 and 6 s, dead after that; a target that is down is left alone."""

import time
from datetime import timedelta

import pytest

from cloud.bus.opening import open_deliverer
from cloud.bus.outbox import Outbox
from cloud.domain.alarm import Severity
from cloud.domain.circuit import CircuitState
from cloud.domain.delivery import DeliveryState
from cloud.domain.notice import NoticeKind
from cloud.domain.times import to_datetime
from cloud.domain.webhook import EventType, WebhookFormat
from cloud.operations.dead_letter_watch import CONDITION, DeadLetterWatch
from cloud.records.alarms import KeptAlarms
from cloud.records.deliveries import LEASE, due_deliveries, take_delivery
from tests.support.bus import Bus
from tests.support.receiver import Receiver


def test_an_event_arrives_as_documented_and_signed(bus: Bus) -> None:
    with Receiver() as receiver:
        webhook, secret = bus.hook(receiver.url)
        bus.tell(service_name="api", from_instances=4, to_instances=6, status="success")
        bus.round()
        (request,) = receiver.requests
    assert set(request.json) == {"event_type", "timestamp", "data"}
    assert request.json["event_type"] == "scaling.executed"
    assert request.json["data"] == {
        "service_name": "api",
        "from_instances": 4,
        "to_instances": 6,
        "status": "success",
    }
    assert request.path == "/hook?x=1"
    assert request.is_signed_with(secret)
    assert not request.is_signed_with(secret[:-1] + "x")
    (delivery,) = bus.deliveries(webhook)
    assert request.headers["x-lineside-delivery"] == delivery.id
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)


def test_a_body_that_was_changed_on_its_way_has_a_bad_signature(bus: Bus) -> None:
    with Receiver() as receiver:
        _, secret = bus.hook(receiver.url)
        bus.tell(status="success")
        bus.round()
        request = receiver.requests[0]
    forged = type(request)(request.path, request.headers, request.body.replace(b"success", b"failure"))
    late = type(request)(request.path, {**request.headers, "x-lineside-timestamp": "1"}, request.body)
    assert not forged.is_signed_with(secret)
    assert not late.is_signed_with(secret)


def test_failures_are_tried_again_after_2_4_and_6_s_and_then_the_event_is_a_dead_letter(bus: Bus) -> None:
    with Receiver(lambda: 503) as receiver:
        webhook, _ = bus.hook(receiver.url)
        bus.tell(status="success")
        for wait_s, attempts in ((0, 1), (1.5, 1), (0.6, 2), (3.5, 2), (0.6, 3), (5.5, 3), (0.6, 4), (60, 4)):
            bus.clock.ahead_s += wait_s
            bus.round()
            assert len(receiver.requests) == attempts
        assert len({request.headers["x-lineside-delivery"] for request in receiver.requests}) == 1
    (letter,) = bus.letters()
    assert (letter.attempts, letter.error) == (4, "it answered 503")
    assert letter.payload["data"] == {"status": "success"}
    assert [attempt.status for attempt in bus.deliveries(webhook)[0].log] == [503] * 4


def test_a_dead_letter_can_be_sent_again_or_dropped(bus: Bus) -> None:
    status = 500
    with Receiver(lambda: status) as receiver:
        bus.hook(receiver.url)
        for _ in range(2):
            bus.tell()
        for _ in range(20):
            bus.round()
            bus.clock.ahead_s += 31
        first, second = bus.letters()
        status = 204
        bus.webhooks.replay(f"dlv_{first.id}", by="anna")
        bus.webhooks.drop(second.id, by="anna")
        bus.round()
        assert receiver.requests[-1].headers["x-lineside-delivery"] == first.id
    assert bus.letters() == []


def test_after_five_failures_a_target_is_left_alone_for_30_s_and_then_tried_once(bus: Bus) -> None:
    status = 500
    with Receiver(lambda: status) as receiver:
        webhook, _ = bus.hook(receiver.url)
        for _ in range(8):
            bus.tell()
        while bus.webhooks.circuit(webhook) is not CircuitState.OPEN:
            bus.round()
            bus.clock.ahead_s += 1
        tried = len(receiver.requests)
        assert tried in (5, 6)
        bus.clock.ahead_s += 20
        bus.round()
        assert len(receiver.requests) == tried
        bus.clock.ahead_s += 11
        assert bus.webhooks.circuit(webhook) is CircuitState.HALF_OPEN
        bus.follow()
        bus.deliverer.look()
        assert bus.deliverer.going == 1
        bus.settle()
        assert (len(receiver.requests), bus.webhooks.circuit(webhook)) == (tried + 1, CircuitState.OPEN)
        status = 200
        for _ in range(10):
            bus.clock.ahead_s += 31
            bus.round()
        assert bus.webhooks.circuit(webhook) is CircuitState.CLOSED
    assert len([one for one in bus.deliveries(webhook) if one.state is DeliveryState.DELIVERED]) >= 6


def test_a_target_that_hangs_holds_up_no_other(bus: Bus) -> None:
    def hang() -> int:
        time.sleep(0.3)
        return 200

    with Receiver(hang) as slow, Receiver() as quick:
        bus.hook(slow.url)
        bus.hook(quick.url)
        for _ in range(20):
            bus.tell()
        bus.follow()
        while len(quick.requests) < 20:
            bus.deliverer.look()
        assert len(slow.requests) < 20
        bus.settle()


def test_what_a_dead_worker_was_sending_is_sent_by_the_next_under_the_same_id(bus: Bus) -> None:
    with Receiver() as receiver:
        webhook, _ = bus.hook(receiver.url)
        bus.tell()
        bus.follow()
        now = to_datetime(bus.clock.now_us())
        with bus.records.writing() as session:
            (delivery,) = due_deliveries(session, now, but=(), limit=10)
            take_delivery(session, delivery.id, "a run that died", now)
        bus.round()
        assert receiver.requests == []
        bus.clock.ahead_s += LEASE.total_seconds() + 1
        successor = open_deliverer(bus.settings, bus.records, bus.clock)
        successor.look()
        (request,) = receiver.wait_for(1)
        successor.stop()
    assert request.headers["x-lineside-delivery"] == delivery.id
    assert bus.deliveries(webhook)[0].state is DeliveryState.DELIVERED


def test_a_notice_becomes_one_delivery_a_target_however_often_it_is_followed(bus: Bus) -> None:
    webhook, _ = bus.hook("http://127.0.0.1:9/")
    for _ in range(3):
        bus.tell()
        bus.follow()
    bus.follow()
    assert len(bus.deliveries(webhook)) == 3


def test_a_queue_that_is_full_makes_dead_letters_and_says_so(bus: Bus) -> None:
    webhook, _ = bus.hook("http://127.0.0.1:9/")
    for _ in range(5):
        bus.tell()
    Outbox(bus.records, bus.clock, most_waiting=3).follow()
    states = [one.state for one in bus.deliveries(webhook)]
    assert states.count(DeliveryState.PENDING) == 3
    assert [letter.error for letter in bus.letters()] == ["3 events wait for this target already"] * 2


@pytest.mark.parametrize(
    ("wish", "count"),
    [
        ({}, 4),
        ({"events": frozenset({EventType.ALARM_RAISED})}, 2),
        ({"events": frozenset({EventType.ALARM_RAISED}), "severity": Severity.CRITICAL}, 1),
        ({"devices": ("pump-*",), "events": frozenset({EventType.ALARM_RAISED})}, 1),
        ({"is_enabled": False}, 0),
    ],
)
def test_a_webhook_is_told_of_what_it_asked_for(bus: Bus, wish: dict[str, object], count: int) -> None:
    webhook, _ = bus.hook("http://127.0.0.1:9/", **wish)
    bus.tell(NoticeKind.ALERT, "pump-1", severity="warning")
    bus.tell(NoticeKind.ALERT, "fan-1", severity="critical")
    bus.tell(NoticeKind.MODEL_RETRAINED, model_name="pumps")
    bus.tell(NoticeKind.SCALING_FAILED)
    bus.tell(NoticeKind.TRAINING_PROGRESS, progress=3)
    bus.follow()
    assert len(bus.deliveries(webhook)) == count


def test_slack_gets_a_text_in_which_nothing_is_a_link(bus: Bus) -> None:
    with Receiver() as receiver:
        bus.hook(receiver.url, format=WebhookFormat.SLACK)
        bus.tell(NoticeKind.ALERT, severity="critical", message="<!channel> & <http://evil|x>")
        bus.round()
        (request,) = receiver.requests
    assert request.json["text"].startswith("[critical] alarm.raised: &lt;!channel&gt; &amp; &lt;http://evil|x&gt;")
    assert "x-lineside-signature" not in request.headers


@pytest.mark.parametrize("status", [301, 302, 307, 404, 410, 500])
def test_whatever_is_no_success_is_a_failure_and_no_redirect_is_followed(bus: Bus, status: int) -> None:
    with Receiver(lambda: status) as receiver:
        webhook, _ = bus.hook(receiver.url)
        assert bus.webhooks.try_one(webhook.id).error.startswith(f"it answered {status}")
        assert len(receiver.requests) == 1


def test_a_dead_letter_of_ten_minutes_is_an_alarm_until_it_is_gone(bus: Bus) -> None:
    def is_active() -> bool:
        DeadLetterWatch(bus.records, bus.clock).look()
        with bus.records.reading() as session:
            alarm = KeptAlarms(session).newest([CONDITION]).get(CONDITION)
            return alarm is not None and alarm.is_active

    bus.hook("http://127.0.0.1:9/")
    bus.tell()
    Outbox(bus.records, bus.clock, most_waiting=0).follow()
    assert not is_active()
    bus.clock.ahead_s += timedelta(minutes=10, seconds=1).total_seconds()
    assert is_active()
    bus.webhooks.drop(bus.letters()[0].id, by="anna")
    assert not is_active()
