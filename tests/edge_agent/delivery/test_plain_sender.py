"""`acknowledge: broker`: plain JSON on a topic of one's choice, kept until the broker has said that it has it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.uplinks.mqtt import MqttSettings, MqttUplink
from tests.support.batches import START_US, block, tag_table
from tests.support.broker import Broker
from tests.support.edge_line import EdgeLine
from tests.support.waiting import until

TABLE = tag_table(2)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


async def listen(broker: Broker) -> tuple[MqttUplink, list[Any]]:
    got: list[Any] = []
    uplink = MqttUplink(MqttSettings(broker.host, broker.port, client_id="backend"))
    uplink.listen("plant/gw-1/pump-1", lambda payload: got.append(json.loads(payload)))
    await uplink.connect()
    return uplink, got


async def until_empty(line: EdgeLine) -> None:
    async with asyncio.timeout(15):
        while line.sealer.figures.waiting or (await line.buffer.ledger()).batches_waiting:  # noqa: ASYNC110  # the same
            await asyncio.sleep(0.02)


async def test_a_poll_is_one_message_and_leaves_the_buffer_when_the_broker_has_it(
    tmp_path: Path, broker: Broker
) -> None:
    backend, got = await listen(broker)
    line = EdgeLine(tmp_path, broker.port, TABLE, topic="plant/{gateway}/{device}")
    line.start()
    for at in range(5):
        line.sealer.accept(block([at + 0.5, at + 0.25], at_us=START_US + at * 1_000_000, tags=2))
    await until(lambda: len(got) == 5)
    await until_empty(line)
    assert got[2] == {"ts": START_US // 1000 + 2000, "values": {"t0": 2.5, "t1": 2.25}}
    await line.stop()
    await backend.close()


async def test_polls_made_without_a_broker_are_kept_and_sent_by_a_later_run(tmp_path: Path, broker: Broker) -> None:
    broker.kill()
    line = EdgeLine(tmp_path, broker.port, TABLE, topic="plant/{gateway}/{device}")
    line.start()
    for at in range(20):
        line.sealer.accept(block([float(at), 0.0], at_us=START_US + at * 1_000_000, tags=2))
        await asyncio.sleep(0)
    line.sealer.record("device_lost")
    await line.stop()
    broker.start()
    backend, got = await listen(broker)
    line = EdgeLine(tmp_path, broker.port, TABLE, topic="plant/{gateway}/{device}")
    line.start()
    await until(lambda: len(got) >= 20)
    await until_empty(line)
    assert [message["values"]["t0"] for message in got] == list(range(20))
    await line.stop()
    await backend.close()
