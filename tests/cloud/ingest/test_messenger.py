"""What other processes tell gateways goes through the ingest process, which has the broker."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud.errors import Invalid, Unavailable
from cloud.ingest.messenger import Messenger
from protocols.topics import GatewayTopic, gateway_topic
from tests.support.broker import Broker
from tests.support.ingest_process import IngestProcess
from tests.support.waiting import DEADLINE_S, wait_until

TOPIC = gateway_topic("gw-1", GatewayTopic.MODELS)


@contextmanager
def heard(port: int) -> Iterator["queue.Queue[MQTTMessage]"]:
    """Give what comes on the topic, what was retained first."""
    messages: queue.Queue[MQTTMessage] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _, __, message: messages.put(message)

    def subscribe(connected: Client, *_: Any) -> None:  # noqa: ANN401 paho's own
        connected.subscribe(TOPIC, qos=1)

    client.on_connect = subscribe
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield messages
    finally:
        client.disconnect()
        client.loop_stop()


def published(messenger: Messenger, payload: bytes, *, is_retained: bool = True) -> bool:
    with suppress(Unavailable):
        messenger.publish(TOPIC, payload, is_retained=is_retained)
        return True
    return False


def test_a_message_is_retained_for_gateways_that_come_later(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, IngestProcess(tmp_path / "ingest", port=broker.port) as ingest:
        messenger = Messenger(ingest.door)
        wait_until(lambda: published(messenger, b"wanted"))
        with heard(broker.port) as messages:
            assert messages.get(timeout=DEADLINE_S).payload == b"wanted"
        messenger.close()


def test_only_topics_for_gateways_are_taken(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, IngestProcess(tmp_path / "ingest", port=broker.port) as ingest:
        messenger = Messenger(ingest.door)
        for topic in (gateway_topic("gw-1", GatewayTopic.ACK), "v1/devices/x/telemetry", "$SYS/x", "v1/gw/#/models"):
            with pytest.raises(Invalid, match="topic: "):
                messenger.publish(topic, b"x")
        wait_until(lambda: published(messenger, b"wanted"))
        messenger.close()


def test_without_a_broker_or_an_ingest_process_it_is_unavailable_until_they_are_back(tmp_path: Path) -> None:
    messenger = Messenger(tmp_path / "ingest" / "intake.sock")
    with pytest.raises(Unavailable, match="ingest process is away"):
        messenger.publish(TOPIC, b"x")
    broker = Broker(tmp_path / "broker")
    with IngestProcess(tmp_path / "ingest", port=broker.port):
        with pytest.raises(Unavailable, match="broker"):
            messenger.publish(TOPIC, b"x")
        with broker:
            wait_until(lambda: published(messenger, b"wanted"))
            with heard(broker.port) as messages:
                assert messages.get(timeout=DEADLINE_S).payload == b"wanted"
    with pytest.raises(Unavailable):
        messenger.publish(TOPIC, b"x")
    with IngestProcess(tmp_path / "ingest"), pytest.raises(Unavailable, match="no broker here"):
        messenger.publish(TOPIC, b"x")
    messenger.close()
