"""A bad model among 200 gateways: real broker, real cloud processes, real signatures; stopped in the first group."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cloud.domain.scopes import Scope
from edge_agent.detectors.loader import load_network
from protocols.package import Package, SelfTest
from protocols.scoring.scorer import Scorer
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.mqtt_fleet import MqttFleet, Site
from tests.support.packages import make_package, normal_rows
from tests.support.waiting import wait_until

COUNT = 200
DEADLINE_S = 100.0


def eager(package: Package) -> Package:
    """Return a model that passes its own self-test and cries at every row."""
    scoring = msgspec.structs.replace(package.card.scoring, threshold=package.card.scoring.threshold - 20.0)
    rows = normal_rows(100, len(scoring.channels), seed=7)
    scores = Scorer(scoring, load_network(package.network)).take(rows).score[-20:]
    self_test = SelfTest(tuple(tuple(row) for row in rows.tolist()), tuple(scores.tolist()))
    return Package(msgspec.structs.replace(package.card, scoring=scoring, self_test=self_test), package.network)


class Headquarters:
    """A running cloud with a key for everything about models."""

    def __init__(self, server: CloudServer) -> None:
        self.server = server
        self.key = server.key(Scope.MODELS_READ, Scope.MODELS_WRITE, Scope.GATEWAYS_READ)
        self.http = httpx.Client(base_url=f"{server.url}/api/v1", headers={"X-API-Key": self.key}, timeout=30)

    def get(self, path: str) -> Any:  # noqa: ANN401 JSON
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add(self, package: Package) -> None:
        file = self.server.directory / "package.lsp"
        file.write_bytes(package.pack())
        self.server.run("model", "import", str(file))

    def start(self, version: int, **rules: object) -> str:
        wish = {"model": "pump", "version": version, **rules}
        answer = self.http.post("/rollouts", json=wish)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def until(self, rollout: str, state: str) -> dict[str, Any]:
        wait_until(lambda: self.get(f"/rollouts/{rollout}")["state"] == state, deadline_s=DEADLINE_S)
        found: dict[str, Any] = self.get(f"/rollouts/{rollout}")
        return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


@pytest.mark.slow
@pytest.mark.loop
@pytest.mark.timeout(400)
def test_a_bad_model_never_leaves_the_first_group_and_all_go_back(broker: Broker, tmp_path: Path) -> None:
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    server.run("migrate")
    root = tmp_path / "root.json"
    root.write_text(server.run("model", "root").stdout)
    with server:
        office = Headquarters(server)
        site = Site(broker.port, server.url, office.key, root, tmp_path / "gateways")
        with MqttFleet(site, COUNT) as fleet:
            _everybody_has_the_good_one(office, fleet)
            _a_bad_one_is_stopped(office, fleet)
            _a_broker_that_forgot_is_told_again(broker, fleet)
        assert fleet.trouble == []
        office.http.close()


def _everybody_has_the_good_one(office: Headquarters, fleet: MqttFleet) -> None:
    wait_until(lambda: len(office.get("/gateways")) == COUNT, deadline_s=DEADLINE_S)
    office.add(make_package("pump", 1))
    good = office.start(1, groups=[100], soak_s=0)
    office.until(good, "finished")
    assert set(fleet.serving().values()) == {"pump@1"}


def _a_bad_one_is_stopped(office: Headquarters, fleet: MqttFleet) -> None:
    office.add(eager(make_package("pump", 1)))
    begun = time.monotonic()
    bad = office.start(2)
    stopped = office.until(bad, "rolled_back")
    told_s = _seconds(stopped["ended_at"], max(one["back_at"] or "" for one in stopped["members"]))
    print(  # noqa: T201 - the figure of this test
        f"\nbad model: everybody back {told_s:.1f} s after the stop, {time.monotonic() - begun:.1f} s after its start"
    )
    first = {one["gateway_id"] for one in stopped["members"] if one["group"] == 1}
    assert len(first) == COUNT * 5 // 100
    assert set() < fleet.who_ever_served("pump@2") <= first
    assert "failed in group 1" in stopped["reason"]
    assert "over" in stopped["reason"]
    assert {one["verdict"] for one in stopped["members"] if one["group"] > 1} == {"pending"}
    wait_until(lambda: set(fleet.serving().values()) == {"pump@1"}, deadline_s=DEADLINE_S)
    shown = office.get("/models/pump")
    assert shown["aliases"] == {"champion": 1}
    wait_until(lambda: _versions_running(office) == {1}, deadline_s=DEADLINE_S)


def _a_broker_that_forgot_is_told_again(broker: Broker, fleet: MqttFleet) -> None:
    """Restart a broker without persistence: it forgets what was retained, and who says hello is told again."""
    broker.restart()
    gateway = fleet.gateways["gw-7"]
    seen = gateway.revision
    gateway.revision, gateway.served = -1, ["own@1"]
    wait_until(fleet.is_connected, deadline_s=DEADLINE_S)
    gateway.say_hello()
    wait_until(lambda: gateway.revision == seen and gateway.served[-1] == "pump@1", deadline_s=DEADLINE_S)


def _versions_running(office: Headquarters) -> set[int]:
    return {one["version"] for one in office.get("/models/pump")["gateways"] if one["standing"] == "serving"}


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
