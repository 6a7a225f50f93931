"""A whole agent takes a signed model over WebSockets and HTTP, serves it, and serves it again after a kill."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from deploy.ports import free_port
from protocols.delivery import State, decode
from protocols.topics import GatewayTopic, gateway_topic
from protocols.wanted import ModelStanding, Standing, Wanted, WantedModel, encode_wanted
from tests.support.agent import AgentProcess, modbus_device
from tests.support.broker import Broker
from tests.support.package_server import KEY, PackageServer
from tests.support.packages import make_package
from tests.support.waiting import wait_until

CHANNELS = ("r0", "r1", "r2", "r3")
MODELS = """\
detect: {{channels: [r0, r1, r2, r3], learn_rows: 100000}}
models: {{url: "{url}", key: "env:GATEWAY_KEY", root: "{root}"}}
"""


class Cloud:
    """Whoever retains what is wanted and hears how it stands; connected inside the block."""

    def __init__(self, port: int) -> None:
        self.states: list[State] = []
        self.revision = 0
        self._port = port
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect

    def want(self, *models: WantedModel) -> None:
        """Retain a new word for the gateway."""
        self.revision += 1
        word = encode_wanted(Wanted(self.revision, models))
        self._client.publish(gateway_topic("gw-1", GatewayTopic.MODELS), word, qos=1, retain=True)

    def standing(self, version: int) -> ModelStanding | None:
        """Return how a version stands by the newest state."""
        said = self.states[-1].models if self.states else ()
        return next((one for one in said if (one.name, one.version) == ("pump", version)), None)

    def hears(self, standing: Standing, version: int) -> bool:
        """Return whether the gateway says so now."""
        found = self.standing(version)
        return found is not None and found.standing is standing

    def _on_connect(self, client: Client, *_: Any) -> None:  # noqa: ANN401 paho's own
        client.subscribe(gateway_topic("gw-1", GatewayTopic.STATE), qos=1)

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:  # noqa: ANN401 paho's own
        self.states.append(decode(bytes(message.payload), State))

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PackageServer]:
    with PackageServer(tmp_path / "cloud") as server:
        for version in (1, 2):
            server.repository.publish(f"pump/{version}.lsp", make_package("pump", version, CHANNELS).pack())
        yield server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", extra=f"listener {free_port()} 127.0.0.1\nprotocol websockets\n") as broker:
        yield broker


def agent_of(directory: Path, modbus_port: int, server: PackageServer, broker: Broker) -> AgentProcess:
    uplink = f"{{port: {broker.ports[1]}, transport: websockets}}"
    agent = AgentProcess(directory, devices=modbus_device(modbus_port), uplink=uplink)
    told = agent.config.read_text().replace("devices:", MODELS.format(url=server.url, root=server.root) + "devices:")
    agent.config.write_text(told)
    agent.environment = {"GATEWAY_KEY": KEY}
    return agent


def wish(version: int) -> WantedModel:
    return WantedModel("pump-1", "pump", version, f"pump/{version}.lsp", shadow_rows=20, rollout=f"r{version}")


@pytest.mark.slow
def test_an_agent_takes_a_model_over_websockets_and_keeps_it_over_a_kill(
    tmp_path: Path, modbus_port: int, server: PackageServer, broker: Broker
) -> None:
    agent = agent_of(tmp_path, modbus_port, server, broker)
    with Cloud(broker.port) as cloud:
        cloud.want(wish(1))
        with agent:
            wait_until(lambda: cloud.hears(Standing.SERVING, 1), deadline_s=60)
            cloud.want(wish(2))
            wait_until(lambda: cloud.hears(Standing.SERVING, 2), deadline_s=60)
            assert agent.process is not None
            agent.process.kill()
            agent.process.wait()
        server.stop()
        cloud.states.clear()
        with agent:
            wait_until(lambda: cloud.hears(Standing.SERVING, 2), deadline_s=60)
            (row,) = json.loads(agent.command("model", "status", "--json").stdout)
            assert (row["current"], row["previous"], row["judged_by"]) == ("pump@2", "pump@1", "pump@2")
            shown = agent.command("model", "rollback", "pump-1", "--json")
            assert json.loads(shown.stdout)["message"] == "pump-1 went back from pump@2 to pump@1"
            wait_until(lambda: cloud.hears(Standing.ROLLED_BACK, 2), deadline_s=60)
            assert agent.stop() == 0
    assert {"model_serving", "model_rolled_back"} <= told_events(agent)


def told_events(agent: AgentProcess) -> set[str]:
    lines = agent.command("buffer", "print").stdout.splitlines()
    return {line["event"]["name"] for line in map(json.loads, lines) if "event" in line}
