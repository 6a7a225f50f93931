"""The whole loop: a gateway's own model, labels, a better model learned, signed, tried in the shadow, and serving.

The pump has faults (imbalance) and something harmless that nobody told the gateway of (its pressure wanders). The
gateway's own model finds both strange; an operator says which was which; what is learned from that finds the one and
keeps quiet at the other. All parts are the real processes.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

from cloud.domain.scopes import Scope
from deploy.ports import free_port
from firmware_sim.agent_config import compose
from tests.support.agent import AgentProcess
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.plant import PlantProcess, modbus_plant
from tests.support.waiting import wait_until

PUMP = "pump-1"
PERIOD_S = 0.05
LEARN_ROWS = 600
FAULT: dict[str, Any] = {"kind": "imbalance", "sigma": 20, "for_s": 6}
HARMLESS: dict[str, Any] = {"kind": "drift", "channel": "pressure", "sigma": 18, "for_s": 8}
DEADLINE_S, LOOK_S = 100.0, 0.1
QUIET_ROWS = 80
"""Longer than the windows, so that what was before is out of them."""
JUDGING_ROWS = 300
"""At the end of what is learned from: the last three tenths judge, and the harmless thing is to be before them."""


@dataclass(frozen=True)
class Figures:
    """How a model did in the time that it served: false alarms an hour of healthy rows, faults found and had."""

    model: str
    healthy_rows: int
    false_alarms: int
    found: int
    faults: int

    @property
    def per_hour(self) -> float:
        return self.false_alarms / (self.healthy_rows * PERIOD_S / 3600)

    @property
    def recall(self) -> float:
        return self.found / self.faults


class Operator:
    """Looks at alarms, says what they were, and asks for a better model; all by the API."""

    def __init__(self, server: CloudServer) -> None:
        self._readings = server.directory / "data" / "readings.db"
        headers = {"X-API-Key": server.key(Scope.ADMIN)}
        self.http = httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30)

    def get(self, path: str, **query: str | float) -> Any:  # noqa: ANN401 JSON
        answer = self.http.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 JSON
        answer = self.http.post(path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    def anomalies(self) -> list[dict[str, Any]]:
        """Return what models found strange, the oldest first."""
        return [one for one in self.get("/alerts", device_id=PUMP)[::-1] if one["type"] == "anomaly"]

    def judged(self) -> list[datetime]:
        """Return the time of every row that was judged."""
        found = self.get("/historical_data", device_id=PUMP, metric="anomaly_score", hours=1)
        return [datetime.fromisoformat(one) for one in found["timestamps"]]

    def say_what_they_were(self, faults: list[tuple[datetime, datetime]]) -> None:
        """Wait until all is quiet, and label what came since: the operator has seen whether the pump was out of order.

        Each alarm is acknowledged, so that the next one is another.
        """
        wait_until(lambda: all(one["resolved"] for one in self.anomalies()), deadline_s=DEADLINE_S, every_s=LOOK_S)
        for alarm in self.anomalies():
            if alarm["label"] is None:
                is_fault = any(_meets(alarm, span) for span in faults)
                verdict = {"verdict": "true_fault", "kind": "imbalance"} if is_fault else {"verdict": "false_alarm"}
                self.post(f"/alerts/{alarm['id']}/label", verdict)
                self.post(f"/alerts/{alarm['id']}/acknowledge")

    def retrain(self) -> dict[str, Any]:
        """Return what came of a retraining."""
        wish = {"model_name": "pump", "devices": [f"gw-1/{PUMP}"], "training_days": 0.01}
        job = self.post("/models/retrain", wish)["job_id"]
        wait_until(
            lambda: self.get(f"/jobs/{job}")["state"] not in ("queued", "running"),
            deadline_s=DEADLINE_S,
            every_s=LOOK_S,
        )
        done: dict[str, Any] = self.get(f"/jobs/{job}")
        assert done["state"] == "succeeded", done
        result: dict[str, Any] = done["result"]
        return result

    def serving(self) -> str:
        """Return the model that serves, as the gateway says."""
        found = [one for one in self.get("/gateways/gw-1")["models"] if one["standing"] == "serving"]
        return f"{found[0]['name']}@{found[0]['version']}" if found else ""

    def events(self) -> dict[str, tuple[datetime, dict[str, Any]]]:
        """Return the first event of each name with its time."""
        with closing(sqlite3.connect(f"file:{self._readings}?mode=ro", uri=True)) as database:
            rows = database.execute("select name, at_us, detail from gateway_event order by id desc").fetchall()
        return {name: (datetime.fromtimestamp(at_us / 1e6, UTC), json.loads(detail)) for name, at_us, detail in rows}

    def figures(self, model: str, begin: datetime, end: datetime, faults: list[tuple[datetime, datetime]]) -> Figures:
        """Return how the models of this name did between these times."""
        alarms = [one for one in self.anomalies() if one["model"].partition("@")[0] == model]
        rows = [at for at in self.judged() if begin <= at < end]
        spans = [span for span in faults if begin <= span[0] < end]
        found = [span for span in spans if any(_meets(alarm, span) for alarm in alarms)]
        false = [alarm for alarm in alarms if not any(_meets(alarm, span) for span in spans)]
        healthy = sum(not any(since <= at < until for since, until in spans) for at in rows)
        return Figures(model, healthy, len(false), len(found), len(spans))


def _meets(alarm: dict[str, Any], span: tuple[datetime, datetime]) -> bool:
    onset, cleared = (datetime.fromisoformat(alarm[key]) for key in ("onset_at", "cleared_at"))
    return onset < span[1] and span[0] < cleared


class Site:
    """A broker, a simulated pump, a gateway and the cloud, started in an order in which the gateway needs no cloud."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        self.broker = Broker(directory / "broker")
        self.server = CloudServer(directory, mqtt=f"mqtt: {{port: {self.broker.port}}}\n", port=port)
        self.server.run("init")
        root = directory / "root.json"
        root.write_text(self.server.run("model", "root").stdout)
        machine = {"id": PUMP, "type": "pump", "unit": 1, "period_s": PERIOD_S}
        self.plant = PlantProcess(directory / "plant", modbus_plant(machine))
        (directory / "edge").mkdir()
        self.agent = AgentProcess(directory / "edge", devices="", uplink="{}")
        self.agent.environment = {"GATEWAY_KEY": self.server.key(Scope.MODELS_READ)}
        self._models = {"url": f"http://127.0.0.1:{port}", "key": "env:GATEWAY_KEY", "root": str(root)}
        self.faults: list[tuple[datetime, datetime]] = []

    def happen(self, what: dict[str, Any]) -> None:
        """Have something happen to the pump, to its end."""
        begin = datetime.now(UTC)
        assert self.plant.ask(do="fault", machine=PUMP, **what)["ok"]
        wait_until(self._what_goes_on, every_s=LOOK_S)
        wait_until(lambda: not self._what_goes_on(), every_s=LOOK_S)
        if what is FAULT:
            self.faults.append((begin, datetime.now(UTC)))

    def let_pass(self, rows: int = QUIET_ROWS) -> None:
        """Let the pump go on for so many rows."""
        end = self._pump()["row"] + rows
        wait_until(lambda: self._pump()["row"] >= end, every_s=LOOK_S)

    def _what_goes_on(self) -> list[Any]:
        found: list[Any] = self._pump()["faults"]
        return found

    def _pump(self) -> dict[str, Any]:
        found: dict[str, Any] = self.plant.ask(do="status")["machines"][PUMP]
        return found

    def __enter__(self) -> Self:
        self.broker.start()
        self.plant.__enter__()
        settings = yaml.safe_load(self.agent.config.read_text()) | {
            "uplink": {"host": "127.0.0.1", "port": self.broker.port},
            "detect": {"learn_rows": LEARN_ROWS, "score_period_s": 0, "close_after_s": 1.0},
            "models": self._models,
            "devices": compose(self.plant.ready)["devices"],
        }
        self.agent.config.write_text(yaml.safe_dump(settings))
        self.agent.start()
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self.agent.__exit__(None, None, None)
        self.plant.stop()
        self.broker.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as started:
        yield started


@pytest.fixture
def operator(site: Site) -> Iterator[Operator]:
    made = Operator(site.server)
    yield made
    made.http.close()


@pytest.mark.slow
@pytest.mark.loop
@pytest.mark.timeout(500)
def test_labels_make_a_better_model_that_gateways_take_over(site: Site, operator: Operator) -> None:
    started_s = time.monotonic()
    wait_until(lambda: operator.serving().startswith("own@"), deadline_s=DEADLINE_S, every_s=LOOK_S)
    begin = datetime.now(UTC)
    site.let_pass()
    for what in (HARMLESS, FAULT):
        site.happen(what)
        site.let_pass()
        operator.say_what_they_were(site.faults)
    site.let_pass(JUDGING_ROWS)
    assert {one["label"] for one in operator.anomalies()} == {"true_fault", "false_alarm"}
    assert {one["model"].partition("@")[0] for one in operator.anomalies()} == {"own"}

    learned = operator.retrain()
    told = learned["figures"]
    assert learned["promoted"], learned
    assert told["challenger"]["alarms_per_day"] <= told["champion"]["alarms_per_day"]
    assert told["challenger"]["recall"] == told["champion"]["recall"] == 1.0
    assert told["int8_agreement"] >= 0.99
    wait_until(lambda: operator.serving() == "pump@1", deadline_s=DEADLINE_S, every_s=LOOK_S)
    swapped, detail = operator.events()["model_serving"]
    assert (detail["name"], detail["version"], detail["before"]) == ("pump", 1, "own")

    for what in (HARMLESS, FAULT):
        site.let_pass()
        site.happen(what)
    site.let_pass()
    operator.say_what_they_were(site.faults)
    before = operator.figures("own", begin, swapped, site.faults)
    after = operator.figures("pump", swapped, datetime.now(UTC), site.faults)
    newest = operator.anomalies()[-1]
    assert (newest["model"], newest["channel"], newest["label"]) == ("pump@1", "vibration", "true_fault")
    assert after.per_hour <= before.per_hour
    assert after.recall >= before.recall == 1.0
    (rollout,) = operator.get("/rollouts")
    assert detail["rollout"] == rollout["id"]
    wait_until(
        lambda: operator.get(f"/rollouts/{rollout['id']}")["state"] == "finished", deadline_s=DEADLINE_S, every_s=LOOK_S
    )
    assert operator.get("/models/pump")["aliases"] == {"champion": 1}
    for one in (before, after):
        print(  # noqa: T201 - the figures of this test
            f"\n{one.model}: {one.false_alarms} false alarms on {one.healthy_rows} healthy rows ({one.per_hour:.0f}"
            f" an hour), {one.found} of {one.faults} faults found"
        )
    print(f"retraining: {told}; all in {time.monotonic() - started_s:.0f} s")  # noqa: T201 - as above
