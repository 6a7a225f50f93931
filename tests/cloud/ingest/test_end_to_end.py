"""Through a real broker into a real process: what is acknowledged is in the file, whatever is killed."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.fleet.accounting import Accounting
from cloud.fleet.gateways import Gateways
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from protocols.delivery import encode
from protocols.topics import GatewayTopic, telemetry_topic
from tests.support.broker import Broker
from tests.support.gateway import GatewayClient
from tests.support.ingest import EPOCH, GATEWAY, data, hello, tags
from tests.support.ingest_process import IngestProcess
from tests.support.waiting import wait_until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


def _readings(path: Path) -> int:
    database = Database(path, read_only=True)
    readings = ChunkStore(database, SystemClock()).figures().readings
    database.close()
    return readings


def _total(path: Path) -> Accounting:
    database = Database(path, read_only=True)
    total = Gateways(database).get(GATEWAY).total
    database.close()
    return total


def _say_hello(gateway: GatewayClient, nonce: int) -> None:
    """Send hellos until one is answered: before that nobody may have been subscribed."""

    def answered() -> bool:
        gateway.publish(GatewayTopic.HELLO, encode(hello(nonce)))
        return any(ack.nonce == nonce for ack in tuple(gateway.acks))

    wait_until(answered)


def test_frames_are_durable_when_their_ack_comes(broker: Broker, tmp_path: Path) -> None:
    with IngestProcess(tmp_path, port=broker.port) as ingest, GatewayClient(broker.port) as gateway:
        _say_hello(gateway, 5)
        gateway.publish(GatewayTopic.DATA, tags(1))
        for seq in range(2, 30):
            gateway.publish(GatewayTopic.DATA, data(seq, readings=100))
        wait_until(lambda: gateway.settled(EPOCH, 29))
        assert _readings(ingest.readings) == 2800
        assert ingest.stop() == 0


def test_a_kill_between_commit_and_ack_loses_and_doubles_nothing(broker: Broker, tmp_path: Path) -> None:
    with GatewayClient(broker.port) as gateway:
        with IngestProcess(tmp_path, port=broker.port) as ingest:
            _say_hello(gateway, 5)
            gateway.publish(GatewayTopic.DATA, tags(1))
            wait_until(lambda: gateway.settled(EPOCH, 1))
            ingest.die_at_next_commit()
            gateway.publish(GatewayTopic.DATA, data(2))
            assert ingest.wait_dead() == -signal.SIGKILL
        assert not gateway.settled(EPOCH, 2)
        with IngestProcess(tmp_path, port=broker.port) as ingest:
            _say_hello(gateway, 6)
            gateway.publish(GatewayTopic.DATA, tags(1))
            gateway.publish(GatewayTopic.DATA, data(2))
            assert gateway.settled(EPOCH, 2)
            wait_until(lambda: _total(ingest.readings).resent == 3)
            assert _total(ingest.readings).stored == 3


def test_a_broker_that_dies_is_found_again(broker: Broker, tmp_path: Path) -> None:
    with IngestProcess(tmp_path, port=broker.port):
        with GatewayClient(broker.port) as gateway:
            _say_hello(gateway, 5)
        broker.restart()
        with GatewayClient(broker.port) as gateway:
            _say_hello(gateway, 6)
            gateway.publish(GatewayTopic.DATA, tags(1))
            gateway.publish(GatewayTopic.DATA, data(2))
            wait_until(lambda: gateway.settled(EPOCH, 2))


def test_telemetry_sent_while_nobody_listens_is_kept_by_the_broker(broker: Broker, tmp_path: Path) -> None:
    with GatewayClient(broker.port) as device:
        with IngestProcess(tmp_path, port=broker.port) as ingest:
            _say_hello(device, 5)
            wait_until(lambda: _stored(device, ingest, b'{"ts": 1700000000000, "values": {"power": 1}}') == 1)
        device.publish_to(telemetry_topic("meter-9"), b'{"ts": 1700000001000, "values": {"power": 2}}')
        with IngestProcess(tmp_path, port=broker.port) as ingest:
            wait_until(lambda: _readings(ingest.readings) == 2)


def _stored(device: GatewayClient, ingest: IngestProcess, payload: bytes) -> int:
    device.publish_to(telemetry_topic("meter-9"), payload)
    return _readings(ingest.readings)


def test_another_gateways_topic_and_foreign_topics_get_no_answer(broker: Broker, tmp_path: Path) -> None:
    with IngestProcess(tmp_path, port=broker.port), GatewayClient(broker.port) as gateway:
        _say_hello(gateway, 5)
        gateway.publish(GatewayTopic.DATA, data(2, gateway="gw-2"))
        gateway.publish_to("v1/gw/-wrong-/data", data(3))
        gateway.publish(GatewayTopic.DATA, tags(1))
        wait_until(lambda: gateway.settled(EPOCH, 1))
        assert not gateway.settled(EPOCH, 2)
        assert len([ack for ack in gateway.acks if ack.nonce is None]) == 1
