"""A whole agent on a plant with every way in, beside devices that answer rubbish: all that was served reaches REST."""

import asyncio
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.account import made, settle, stored
from deploy.fetch import Api
from tests.support.agent import AgentProcess, modbus_device
from tests.support.api import RestApi
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.modbus_server import Memory, Request, Respond, serving
from tests.support.plant import PlantProcess
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PLANT = {
    "plant": "all",
    "seed": 3,
    "servers": [
        {"id": "line", "protocol": "modbus-tcp"},
        {"id": "safe", "protocol": "modbus-tls"},
        {"id": "serial", "protocol": "modbus-rtu"},
        {"id": "open", "protocol": "opcua", "security": ["None"]},
        {"id": "vault", "protocol": "opcua", "security": ["Basic256Sha256"]},
    ],
    "machines": [
        {"id": "pump-1", "type": "pump", "server": "line", "unit": 1, "period_s": 0.1},
        {"id": "motor-1", "type": "motor", "server": "safe", "period_s": 0.1},
        {"id": "compressor-1", "type": "compressor", "server": "serial", "unit": 5, "period_s": 0.5},
        {"id": "oven-1", "type": "oven", "server": "open", "period_s": 0.2},
        {"id": "oven-2", "type": "oven", "server": "vault", "period_s": 0.2},
    ],
}
GATEWAY = "gw-1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


class Rubbish:
    """A unit that never answers well: noise, half a frame, another unit's, another function, silence, hanging up."""

    def __init__(self) -> None:
        self.answers = 0
        memory = Memory()
        ways: list[Respond] = [
            lambda _: b"\xde\xad\xbe\xef" * 5,
            lambda request: (memory.respond(request) or b"")[:7],
            lambda request: request.answer(b"\x02\x00\x07", unit=99),
            lambda request: request.answer(b"\x02\x00\x07", function=request.function + 1),
            lambda _: None,
            lambda _: b"",
            lambda _: bytes(100_000),
        ]
        self._ways = cycle(ways)

    def respond(self, request: Request) -> bytes | None:
        self.answers += 1
        return next(self._ways)(request)


def agent_for(directory: Path, plant: PlantProcess, broker: Broker, rubbish_port: int) -> AgentProcess:
    """Return an agent on all machines of the plant and on the one that answers rubbish."""
    broken = modbus_device(rubbish_port, name="broken-1", tags=1)
    agent = AgentProcess(directory, devices=broken, uplink=f"{{port: {broker.port}}}")
    document = yaml.safe_load(agent.config.read_text())
    machines = yaml.safe_load((directory / "plant-agent.yaml").read_text())["devices"]
    document["devices"] = machines + document["devices"]
    agent.config.write_text(yaml.safe_dump(document))
    assert len(machines) == len(plant.ready.machines) == 5
    return agent


def polls(agent: AgentProcess) -> dict[str, int]:
    devices: list[dict[str, Any]] = agent.status().get("devices", [])
    return {device["id"]: device["polls"] for device in devices}


async def at_rest(agent: AgentProcess, plant: PlantProcess) -> None:
    """Have the machines stand still and wait until their last values were read."""
    await asyncio.to_thread(plant.ask, do="hold")
    before = polls(agent)
    await until(lambda: polls(agent)["pump-1"] > before["pump-1"] + 20)
    await until(lambda: polls(agent)["compressor-1"] > before["compressor-1"] + 2)


async def test_all_that_was_served_over_every_protocol_reaches_rest_beside_rubbish(
    tmp_path: Path, broker: Broker
) -> None:
    rubbish = Rubbish()
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    plant = PlantProcess(tmp_path, PLANT, "--agent-config", str(tmp_path / "plant-agent.yaml"))
    async with serving(rubbish.respond) as broken:
        with server, RestApi(server) as api, plant, agent_for(tmp_path, plant, broker, broken.port) as agent:
            await until(lambda: all(len(api.values(f"oven-{n}", "temperature")) > 10 for n in (1, 2)), deadline_s=40)
            await until(lambda: rubbish.answers > 3)  # by then it is left alone for seconds at a time
            await at_rest(agent, plant)
            status = agent.status()
            assert agent.process is not None
            agent.process.terminate()
            await until(lambda: agent.process is not None and agent.process.poll() is not None)
            plant.stop()
            served = made(plant.truth())
            with Api(server.url, api.http.headers["X-API-Key"]) as reader:
                account = settle(served, stored(reader, served))
            assert api.account(GATEWAY)["lost"] == 0
            assert set(api.values("broken-1", "r0")) == {None}
    assert account.total.is_clean, account
    assert account.total.made > 500
    states = {device["id"]: device["state"] for device in status["devices"]}
    assert states == {machine.machine: "ok" for machine in plant.ready.machines} | {"broken-1": "lost"}
