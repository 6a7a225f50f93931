"""`acknowledge: broker`: one plain JSON message a poll, whole and in order, which the cloud takes as it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_agent.uplinks.mqtt import MqttSettings, MqttUplink
from tests.support.agent import AgentProcess
from tests.support.api import RestApi
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.modbus_server import Memory, Request, serving
from tests.support.waiting import until

pytestmark = pytest.mark.slow

TOPIC = "v1/devices/{device}/telemetry"
REGISTERS = 300
"""So many take three requests; the bits of a table and a text two more."""
REQUESTS_A_POLL = 5
DEVICE = "\n".join(
    [
        "  - id: pump-1",
        "    protocol: modbus",
        "    url: tcp://127.0.0.1:{port}",
        "    period_s: 0.02",
        "    timeout_s: 0.5",
        "    tags:",
        *(f"      - {{{{name: r{i}, address: {i}, type: uint16, scale: 0.1}}}}" for i in range(REGISTERS)),
        "      - {{name: hot, address: 0, type: uint16, scale: 0.1, range: [0, 5]}}",
        "      - {{name: mode, table: input, address: 0, type: string, length: 2}}",
        "      - {{name: runs, table: coil, address: 0, type: bool}}",
    ]
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


class Plc:
    """Counts its polls in every register: the first request of a poll moves all of them on by one."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.memory.bits[0] = 1
        self.polls = 0

    def respond(self, request: Request) -> bytes | None:
        if request.function == 4:
            return request.answer(b"\x04auto")
        if request.function == 3 and request.address == 0:
            self.polls += 1
            self.memory.set_registers(0, np.full(REGISTERS, self.polls, np.uint16).tolist())
        return self.memory.respond(request)


class Backend:
    """Somebody else's program on the broker, which keeps every message."""

    def __init__(self, broker: Broker) -> None:
        self.got: list[dict[str, Any]] = []
        self._uplink = MqttUplink(MqttSettings(broker.host, broker.port, client_id="backend"))
        self._uplink.listen(TOPIC.format(device="pump-1"), lambda payload: self.got.append(json.loads(payload)))

    async def start(self) -> None:
        await self._uplink.connect()

    async def stop(self) -> None:
        await self._uplink.close()


def agent_on(directory: Path, port: int, broker: Broker) -> AgentProcess:
    uplink = f'{{port: {broker.port}, acknowledge: broker, topic: "{TOPIC}"}}'
    return AgentProcess(directory, devices=DEVICE.format(port=port), uplink=uplink)


async def stopped(agent: AgentProcess) -> int:
    """Stop the agent while its device goes on answering."""
    assert agent.process is not None
    agent.process.terminate()
    process = agent.process
    await until(lambda: process.poll() is not None)
    return process.wait()


def check_poll(message: dict[str, Any]) -> None:
    """See that a message holds one whole poll, and says what is not good of it and nothing else."""
    values = message["values"]
    number = values["r0"]
    assert values == {f"r{i}": number for i in range(REGISTERS)} | {"hot": number, "mode": "auto", "runs": True}
    assert message.get("quality", {}) == ({"hot": "out of range"} if number > 5 else {})
    assert message.keys() <= {"ts", "values", "quality"}


async def test_each_poll_is_one_message_that_the_cloud_takes_and_shows(tmp_path: Path, broker: Broker) -> None:
    plc, backend = Plc(), Backend(broker)
    await backend.start()
    with CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n") as server, RestApi(server) as api:
        async with serving(plc.respond) as device:
            with agent_on(tmp_path, device.port, broker) as agent:
                await until(lambda: len(backend.got) > 80)
                assert await stopped(agent) == 0
            assert len(device.requests) == REQUESTS_A_POLL * plc.polls
        await until(lambda: len(backend.got) == plc.polls)
        for message in backend.got:
            check_poll(message)
        numbers = [round(poll * 0.1, 1) for poll in range(1, plc.polls + 1)]
        assert [message["values"]["r0"] for message in backend.got] == numbers
        assert [message["ts"] for message in backend.got] == sorted({message["ts"] for message in backend.got})
        await until(lambda: len(api.values("pump-1", "r299")) == plc.polls)
        assert api.values("pump-1", "r0") == api.values("pump-1", "r299") == numbers
        assert set(api.values("pump-1", "mode")) == {"auto"}
        assert set(api.values("pump-1", "runs")) == {True}
        shown = api.get("/historical_data", device_id="pump-1", metric="hot")
        assert shown["quality"] == [{"first": 50, "last": plc.polls - 1, "reason": "out of range"}]
    await backend.stop()


async def test_polls_made_while_the_broker_is_away_come_later_whole_and_in_order(
    tmp_path: Path, broker: Broker
) -> None:
    plc, backend = Plc(), Backend(broker)
    broker.kill()
    async with serving(plc.respond) as device:
        with agent_on(tmp_path, device.port, broker) as agent:
            await until(lambda: plc.polls > 100)
            broker.start()
            await backend.start()
            await until(lambda: len(backend.got) > 60)
            assert await stopped(agent) == 0
        await until(lambda: bool(backend.got) and backend.got[-1]["values"]["r0"] == plc.polls / 10)
    for message in backend.got:
        check_poll(message)
    numbers = [message["values"]["r0"] for message in backend.got]
    assert numbers == [round(poll * 0.1, 1) for poll in range(plc.polls - len(numbers) + 1, plc.polls + 1)]
    await backend.stop()
