"""What is wrong on the wire is counted where operators look, and delays and loses nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.batch import MAX_ACCEPTED_BYTES
from protocols.codec import seal_data
from protocols.delivery import encode
from protocols.topics import GatewayTopic, telemetry_topic
from tests.support.api import RestApi
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.gateway import GatewayClient
from tests.support.ingest import EPOCH, TABLE, data, frame, hello, tags
from tests.support.readings import block
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LAST = 20
WRONG_TAG = frame(seal_data(block([1.0], tag=99), segment=0, table=TABLE.hash), LAST + 1)
"""A batch whose crc holds and whose content does not: its table has no such tag."""
POISON = {
    "truncated": data(50)[:3],
    "oversized": b"LB\x01" + bytes(MAX_ACCEPTED_BYTES),
    "checksum_mismatch": data(50)[:-1] + b"\x00",
    "unknown_version": b"LB\x63" + data(50)[3:],
    "malformed_frame": b"not a frame at all",
    "foreign": data(50, gateway="gw-2"),
    "quarantined": WRONG_TAG,
}
TELEMETRY = {
    "no JSON": b"{",
    "a wrong type": b'{"ts": "yesterday", "values": {"power": 1}}',
    "a list as a value": b'{"values": {"power": [1, 2]}}',
    "NaN": b'{"values": {"power": NaN}}',
    "no values": b"[{}]",
    "an unknown key": b'{"value": {"power": 1}}',
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


def test_poison_is_counted_and_everything_else_arrives(tmp_path: Path, broker: Broker) -> None:
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    with server, RestApi(server) as api, GatewayClient(broker.port) as gateway:
        wait_until(lambda: answered(gateway))
        gateway.publish(GatewayTopic.DATA, bytes(3 * MAX_ACCEPTED_BYTES))  # which the broker is asked to keep back
        gateway.publish(GatewayTopic.DATA, tags(1))
        for seq in range(2, LAST + 1):
            gateway.publish(GatewayTopic.DATA, data(seq))
            for bad in POISON.values():
                gateway.publish(GatewayTopic.DATA, bad)
            for bad in TELEMETRY.values():
                gateway.publish_to(telemetry_topic("meter-9"), bad)
            gateway.publish_to(telemetry_topic("meter-9"), b'{"ts": %d, "values": {"power": 5}}' % (1.7e12 + seq))
            gateway.publish(GatewayTopic.HELLO, b"\xff\x00")
            gateway.publish_to("v1/gw/-no-/data", data(50))
        times = LAST - 1
        wait_until(lambda: api.metrics().get('lineside_ingest_mqtt_total{outcome="invalid_topic"}') == times)
        wait_until(lambda: gateway.settled(EPOCH, LAST + 1))
        wait_until(lambda: len(api.values("meter-9", "power")) == times)
        wait_until(lambda: len(api.values("pump-1", "flow")) == 3 * times)
        account = api.account("gw-1")
        assert (account["stored"], account["quarantined"], account["lost"]) == (3 * times, 1, 0)
        metrics = api.metrics()
        counted = {name: metrics.get(f'lineside_ingest_batches_total{{outcome="{name}"}}') for name in POISON}
        assert counted == {**dict.fromkeys(POISON, times), "quarantined": 1}
        assert metrics['lineside_ingest_messages_total{outcome="invalid_telemetry"}'] == times * len(TELEMETRY)
        assert metrics['lineside_ingest_messages_total{outcome="invalid_hello"}'] == times
        assert metrics['lineside_ingest_mqtt_total{outcome="invalid_topic"}'] == times
        rejected = {(one.lo, one.code) for ack in gateway.acks for epoch in ack.epochs for one in epoch.rej}
        assert rejected == {(LAST + 1, "invalid_content")}


def answered(gateway: GatewayClient) -> bool:
    gateway.publish(GatewayTopic.HELLO, encode(hello(5)))
    return any(ack.nonce == 5 for ack in tuple(gateway.acks))
