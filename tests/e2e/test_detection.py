"""A real agent learns a real (simulated) pump, finds a fault in it, tells the cloud once, and keeps what it learned."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from firmware_sim.agent_config import compose
from protocols.anomaly import CLOSED, OPENED, RESET
from tests.support.agent import AgentProcess
from tests.support.api import RestApi
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.plant import PlantProcess, modbus_plant
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(300)]

PERIOD_S = 0.05
LEARN_ROWS = 800
"""40 s: a cycle of the pump's load; half of that has not seen what is normal."""
PATIENCE_S = 90.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[PlantProcess]:
    machine = {"id": "pump-1", "type": "pump", "unit": 1, "period_s": PERIOD_S}
    with PlantProcess(tmp_path / "plant", modbus_plant(machine, seed=9)) as started:
        yield started


def agent_of(directory: Path, plant: PlantProcess, broker: Broker) -> AgentProcess:
    directory.mkdir()
    agent = AgentProcess(directory, devices="", uplink="{}")
    settings = yaml.safe_load(agent.config.read_text()) | {"detect": {"learn_rows": LEARN_ROWS, "score_period_s": 0.1}}
    settings["uplink"] = {"host": "127.0.0.1", "port": broker.port}
    settings["devices"] = compose(plant.ready)["devices"]
    agent.config.write_text(yaml.safe_dump(settings))
    return agent


def judged(agent: AgentProcess) -> dict[str, Any]:
    rows = agent.status().get("judged", [])
    found: dict[str, Any] = rows[0] if rows else {}
    return found


def events(server: CloudServer) -> list[tuple[str, dict[str, Any]]]:
    """Return the anomaly events that the cloud's store has, in their order."""
    with sqlite3.connect(f"file:{server.directory / 'data' / 'readings.db'}?mode=ro", uri=True) as database:
        rows = database.execute("select name, detail from gateway_event where name like 'anomal%' order by id")
        return [(name, json.loads(detail)) for name, detail in rows]


def test_a_fault_is_learned_about_found_told_once_and_over(tmp_path: Path, plant: PlantProcess, broker: Broker) -> None:
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    with server, RestApi(server) as api, agent_of(tmp_path / "edge", plant, broker) as agent:
        wait_until(lambda: judged(agent).get("standing") == "serving", deadline_s=PATIENCE_S)
        wait_until(lambda: (judged(agent).get("score") or 1.0) < 0.5)
        assert plant.ask(do="fault", machine="pump-1", kind="stuck", channel="flow", sigma=5, for_s=6)["ok"]
        wait_until(lambda: [name for name, _ in events(server)][-1:] == [CLOSED], deadline_s=PATIENCE_S)
        told = events(server)
        assert told[0][0] == RESET
        mine = [(name, detail) for name, detail in told if detail.get("source") == "frozen"]
        assert [name for name, _ in mine] == [OPENED, CLOSED]
        assert [detail["channel"] for _, detail in mine] == ["flow", "flow"]
        assert mine[0][1]["episode"] == mine[1][1]["episode"]
        wait_until(lambda: len(api.values("pump-1", "anomaly_score")) > 5)
        assert all(0 <= value <= 1 for value in api.values("pump-1", "anomaly_score"))


def test_a_fault_of_the_machine_is_found_by_the_model(tmp_path: Path, plant: PlantProcess, broker: Broker) -> None:
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    with server, agent_of(tmp_path / "edge", plant, broker) as agent:
        wait_until(lambda: judged(agent).get("standing") == "serving", deadline_s=PATIENCE_S)
        before = len(events(server))
        assert plant.ask(do="fault", machine="pump-1", kind="imbalance", sigma=10, for_s=10)["ok"]
        wait_until(lambda: len(events(server)) >= before + 2, deadline_s=PATIENCE_S)
        opened, closed = events(server)[before : before + 2]
        assert [opened[0], closed[0]] == [OPENED, CLOSED]
        assert opened[1]["channel"] == "vibration"
        assert opened[1]["source"] == "model"
        assert opened[1]["model"].startswith("own@")
        assert opened[1]["episode"] == closed[1]["episode"]


def test_a_killed_agent_keeps_the_model_that_it_learned(tmp_path: Path, plant: PlantProcess, broker: Broker) -> None:
    with agent_of(tmp_path / "edge", plant, broker) as agent:
        wait_until(lambda: judged(agent).get("standing") == "serving", deadline_s=PATIENCE_S)
        model = judged(agent)["model"]
        assert agent.process is not None
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        agent.start()
        wait_until(lambda: judged(agent).get("standing") == "serving", deadline_s=5)
        assert judged(agent)["model"] == model
        assert judged(agent)["rows"] < LEARN_ROWS
