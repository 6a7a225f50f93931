"""Rollouts over a simulated fleet: the real records, the real steps, gateways that do as they are told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.domain.model import CHALLENGER, CHAMPION, Task
from cloud.domain.rollout import Rollout, RolloutState, Rules, Verdict
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.fleet.conductor import Conductor
from cloud.fleet.repository import PackageRepository
from cloud.fleet.rollouts import Rollouts, Whereto, counted
from cloud.learning.registry import Registry
from cloud.records.audit import list_audit
from cloud.storage.memory_files import MemoryFiles
from protocols.wanted import ModelStanding, Standing
from tests.support.cloud_clock import HandClock
from tests.support.plain_packages import package
from tests.support.records import new_records
from tests.support.simulated_fleet import SimulatedFleet

RULES = Rules(soak_s=4, answer_s=60, away_s=600)
BAD = ModelStanding("pump-1", "pump", 2, Standing.SERVING, rows=900, over=0.6)
REFUSED = ModelStanding("pump-1", "pump", 2, Standing.REFUSED, reason="self-test")


class Plant:
    """Forty gateways, two published versions, and the one who conducts."""

    def __init__(self, directory: Path, gateways: int = 40) -> None:
        self.clock = HandClock()
        self.records = new_records(directory)
        repository = PackageRepository(directory / "packages", self.clock)
        repository.create(directory / "offline")
        self.registry = Registry(self.records, MemoryFiles(), self.clock, repository)
        self.fleet = SimulatedFleet([f"gw-{n}" for n in range(gateways)])
        self.rollouts = Rollouts(self.records, self.clock)
        self.conductor = Conductor(self.records, self.clock, self.fleet.standings, self.fleet.publish)
        for _ in range(3):
            made = self.registry.add_version(
                "pump", algorithm="whitening", task=Task.ANOMALY, package=package(), by="t"
            )
            if made.version < 3:
                self.registry.publish("pump", made.version, by="t")

    def start(self, version: int, rules: Rules = RULES, whereto: Whereto | None = None) -> str:
        fleet = self.fleet.standings()
        started = self.rollouts.start(
            "pump", version, rules=rules, whereto=whereto or Whereto(), fleet=fleet, by="test"
        )
        return started.id

    def conduct(self, rounds: int, *, each_s: float = 1.0) -> None:
        for _ in range(rounds):
            self.conductor.run()
            self.clock.move(each_s)

    def rollout(self, rollout_id: str) -> Rollout:
        return self.rollouts.get(rollout_id)[0]

    def serving(self, label: str) -> int:
        return sum(self.fleet.served(name) == label for name in self.fleet.names)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.records.close()


def test_a_good_model_goes_out_group_by_group_and_becomes_champion(plant: Plant) -> None:
    rollout = plant.start(1)
    assert plant.registry.get("pump").aliases == {CHALLENGER: 1}
    seen = []
    for _ in range(20):
        plant.conduct(1)
        seen.append(plant.serving("pump@1"))
    assert sorted(set(seen)) == [2, 10, 40]
    assert plant.rollout(rollout).state is RolloutState.FINISHED
    model = plant.registry.get("pump")
    assert model.aliases == {CHAMPION: 1}
    assert plant.registry.version("pump", 1).deployed_at is not None


@pytest.mark.parametrize("bad", [BAD, REFUSED])
def test_a_bad_model_is_stopped_in_the_first_group_and_all_go_back(plant: Plant, bad: ModelStanding) -> None:
    plant.start(1)
    plant.conduct(20)
    plant.fleet.bad["pump@2"] = bad
    rollout = plant.start(2)
    plant.conduct(10)
    assert plant.rollout(rollout).state is RolloutState.ROLLED_BACK
    assert "2 of 2 failed in group 1" in plant.rollout(rollout).reason
    assert plant.fleet.serving() == {"pump@1"}
    assert len(plant.fleet.ran.get("pump@2", set())) <= 2
    assert plant.registry.get("pump").aliases == {CHAMPION: 1}
    assert counted(plant.rollouts.get(rollout)[1]) == {"failed": 2, "pending": 38, "back": 2}


def test_before_any_model_gateways_go_back_to_their_own(plant: Plant) -> None:
    plant.fleet.bad["pump@2"] = BAD
    plant.start(2)
    plant.conduct(10)
    assert plant.fleet.serving() == {"own"}


def test_a_finished_rollout_can_be_rolled_back_and_the_champion_with_it(plant: Plant) -> None:
    plant.start(1)
    plant.conduct(20)
    rollout = plant.start(2)
    plant.conduct(20)
    assert plant.registry.get("pump").aliases == {CHAMPION: 2}
    plant.rollouts.roll_back(rollout, by="anna")
    plant.conduct(3)
    assert plant.fleet.serving() == {"pump@1"}
    assert plant.rollout(rollout).state is RolloutState.ROLLED_BACK
    assert plant.registry.get("pump").aliases == {CHAMPION: 1}
    with pytest.raises(Conflict):
        plant.rollouts.roll_back(rollout, by="anna")


def test_a_paused_rollout_goes_on_where_it_was(plant: Plant) -> None:
    rollout = plant.start(1)
    plant.conduct(3)
    plant.rollouts.pause(rollout, by="anna")
    plant.conduct(20)
    assert plant.serving("pump@1") == 2
    plant.rollouts.resume(rollout, by="anna")
    plant.conduct(20)
    assert plant.serving("pump@1") == 40
    with plant.records.reading() as session:
        actions = [one.action for one in list_audit(session, subject=rollout)]
    assert actions == ["rollout.resume", "rollout.pause", "rollout.start"]


def test_each_group_waits_for_approval_where_that_is_asked_for(plant: Plant) -> None:
    rollout = plant.start(1, replace(RULES, needs_approval=True))
    for reached in (2, 10):
        plant.conduct(20)
        assert (plant.rollout(rollout).state, plant.serving("pump@1")) == (RolloutState.WAITING, reached)
        plant.rollouts.approve(rollout, by="anna")
    plant.conduct(20)
    assert plant.rollout(rollout).state is RolloutState.FINISHED


def test_a_newer_rollout_supersedes_and_what_was_not_proven_goes_back_first(plant: Plant) -> None:
    first = plant.start(1)
    plant.conduct(3)
    assert plant.serving("pump@1") == 2
    second = plant.start(2)
    plant.conduct(3)
    assert plant.rollout(first).state is RolloutState.SUPERSEDED
    assert (plant.serving("pump@1"), plant.serving("pump@2")) == (0, 2)
    plant.fleet.bad["pump@2"] = BAD
    plant.conduct(5)
    assert plant.rollout(second).state is RolloutState.ROLLED_BACK
    assert plant.fleet.serving() == {"own"}


def test_offline_gateways_are_told_when_they_are_back(plant: Plant) -> None:
    rollout = plant.start(1)
    targets = plant.rollouts.get(rollout)[1]
    first = next(one.gateway for one in targets if one.group == 0)
    plant.fleet.away.add(first)
    plant.conduct(100)
    assert plant.serving("pump@1") == 2
    plant.conduct(70, each_s=10)
    assert plant.rollout(rollout).state is RolloutState.FINISHED
    plant.fleet.away.clear()
    assert plant.serving("pump@1") == 40


def test_a_gateway_that_says_hello_again_is_told_again(plant: Plant) -> None:
    plant.start(1)
    plant.conduct(20)
    plant.fleet.heard["gw-7"] = []
    plant.conduct(2)
    assert plant.fleet.heard["gw-7"] == []
    plant.fleet.hello_us["gw-7"] = plant.clock.now_us() - 1
    plant.conduct(2)
    assert plant.fleet.served("gw-7") == "pump@1"
    assert len(plant.fleet.heard["gw-7"]) == 1


def test_a_lost_message_is_sent_again(plant: Plant) -> None:
    plant.start(1)
    plant.conduct(1)
    told = set(plant.fleet.heard)
    plant.fleet.heard.clear()
    plant.conduct(10)
    assert plant.fleet.heard == {}
    plant.conduct(10)
    assert set(plant.fleet.heard) == told


def test_without_a_broker_nothing_is_lost(plant: Plant) -> None:
    plant.fleet.has_broker = False
    plant.start(1)
    with pytest.raises(Unavailable):
        plant.conductor.run()
    plant.fleet.has_broker = True
    plant.conduct(20)
    assert plant.serving("pump@1") == 40


def test_revisions_rise_even_when_the_records_came_back_from_an_older_backup(plant: Plant) -> None:
    plant.start(1)
    plant.conduct(20)
    revisions = [wanted.revision for wanted in plant.fleet.heard["gw-3"]]
    assert revisions == sorted(set(revisions))
    assert revisions[0] >= plant.clock.now_us() // 1000 - 100_000


def test_patterns_choose_gateways_and_devices(plant: Plant) -> None:
    rollout = plant.start(1, whereto=Whereto(("gw-1?",), ("pump-*",)))
    targets = plant.rollouts.get(rollout)[1]
    assert {one.gateway for one in targets} == {f"gw-1{n}" for n in range(10)}
    with pytest.raises(Invalid, match=r"gateways: no gateway judges a device that fits: .*oven"):
        plant.start(1, whereto=Whereto(("*",), ("oven-*",)))


def test_a_model_of_one_machine_goes_to_that_machine_unless_told_otherwise(plant: Plant) -> None:
    plant.registry.add_version(
        "one", algorithm="w", task=Task.ANOMALY, package=package(), by="t", lineage={"devices": ["gw-5/pump-1"]}
    )
    plant.registry.publish("one", by="t")
    fleet = plant.fleet.standings()
    bound = plant.rollouts.start("one", 1, rules=RULES, whereto=Whereto(), fleet=fleet, by="t")
    assert [one.gateway for one in plant.rollouts.get(bound.id)[1]] == ["gw-5"]
    free = plant.rollouts.start("one", 1, rules=RULES, whereto=Whereto(devices=("*",)), fleet=fleet, by="t")
    assert len(plant.rollouts.get(free.id)[1]) == 40


def test_what_cannot_be_rolled_out_is_refused_and_changes_nothing(plant: Plant) -> None:
    with pytest.raises(Conflict, match="pump@3 is not published"):
        plant.start(3)
    with pytest.raises(NotFound, match="no model pump@9"):
        plant.start(9)
    with pytest.raises(Invalid, match=r"^groups: "):
        plant.start(1, replace(RULES, groups=(50.0,)))
    with pytest.raises(NotFound, match="no rollout"):
        plant.rollouts.get("rollout_x")
    assert plant.rollouts.list() == ([], 0)
    assert plant.registry.get("pump").aliases == {}


def test_a_gateway_without_an_answer_fails_the_first_group(plant: Plant) -> None:
    plant.fleet.bad["pump@1"] = ModelStanding("pump-1", "pump", 1, Standing.FETCHING)
    rollout = plant.start(1)
    plant.conduct(70)
    assert "no answer in 60 s" in plant.rollout(rollout).reason
    verdicts = {one.verdict for one in plant.rollouts.get(rollout)[1]}
    assert verdicts == {Verdict.FAILED, Verdict.PENDING}
