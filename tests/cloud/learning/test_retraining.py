"""Retraining over stored readings: a better challenger is promoted, a worse one refused, each with its figures."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from cloud.domain.alarm import Alarm, Seen
from cloud.domain.label import Label, Verdict
from cloud.domain.model import CHALLENGER, CHAMPION
from cloud.domain.retraining import LEAST_AGREEMENT, Cause, Retraining, Showing, compare
from cloud.domain.times import to_datetime
from cloud.errors import Invalid
from cloud.learning.algorithm import quiet
from cloud.learning.drawing import SCORE_TAG
from cloud.learning.registry import Registry
from cloud.learning.retrain_request import RetrainRequest, parse_request
from cloud.learning.retraining import Retrainer, package_of, retrain
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records
from cloud.records.drift import baseline_keys
from cloud.records.labels import add_label, delete_label, list_labels
from cloud.records.retrainings import list_retrainings
from cloud.storage.files import DirectoryFiles
from cloud.storage.memory import MemoryStore
from protocols.package import unpack_package
from protocols.scoring.loader import load_network
from protocols.scoring.scorer import Scorer
from tests.support.alarms import PUMP as PUMP_ALARM
from tests.support.alarms import finding
from tests.support.cloud_clock import START_US, HandClock
from tests.support.plant_rows import SECOND_US, TAGS, healthy, store_rows, with_fault
from tests.support.records import new_records

N = 12_000
PUMP = ("gw-1", "pump-1")


class NoPublisher:
    """Signs nothing: a retraining publishes nothing by itself."""

    def publish(self, path: str, data: bytes) -> str:
        raise AssertionError(f"{path} of {len(data)} bytes was published")


@dataclass(frozen=True)
class Loop:
    """A store of readings, labels and a registry, with the retrainer over them."""

    records: Records
    registry: Registry
    store: MemoryStore
    clock: HandClock

    def run(self, *, until: int = N, days: float = 1.0, **more: object) -> Retraining:
        """Let the model learn from the readings up to row `until`, and keep what came of it."""
        end_us = START_US + until * SECOND_US
        request = RetrainRequest("pump", days=days, end_us=end_us, devices=("gw-1/pump-1",), **more)  # type: ignore[arg-type]
        self.clock.move(1)
        number = f"{self.clock.now_us():032x}"
        outcome = retrain(
            Retrainer(self.records, self.clock, self.registry, self.store),
            request,
            job_id=number,
            by="test",
            progress=quiet,
        )
        with self.records.writing() as session:
            outcome.keep(session)
        with self.records.reading() as session:
            (newest,) = list_retrainings(session, limit=1)
        return newest

    def serve(self, version: int) -> None:
        """Let this version be the one that serves."""
        self.registry.set_alias("pump", CHAMPION, version, by="test")

    def raise_alarms(self, *rows: int, model: str) -> None:
        """Have a gateway's model raise an alarm at each of these rows, seen and over at once."""
        with self.records.writing() as session:
            for row in rows:
                found = replace(finding(row, episode=f"e-{row}"), model=model)
                alarm = Alarm(f"alarm-{row}", PUMP_ALARM, found, found.onset_us, found.at_us, (found.at_us,))
                KeptAlarms(session).put(alarm.clear(found.at_us + SECOND_US).acknowledge(Seen("anna", found.at_us)))

    def label(self, begin: int, end: int, verdict: Verdict) -> None:
        """Say what these rows were."""
        span = START_US + begin * SECOND_US, START_US + end * SECOND_US
        with self.records.writing() as session:
            add_label(session, Label(0, *PUMP, *span, verdict, "anna", to_datetime(self.clock.now_us())))


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """Give a loop without readings."""
    records = new_records(tmp_path)
    clock = HandClock()
    registry = Registry(records, DirectoryFiles(tmp_path / "files"), clock, NoPublisher())
    yield Loop(records, registry, MemoryStore(clock), clock)
    records.close()


def shown(retraining: Retraining, who: str) -> dict[str, float]:
    found = retraining.figures[who]
    assert isinstance(found, dict)
    return found


def test_of_several_candidates_the_best_is_the_challenger_and_all_are_told_of(loop: Loop) -> None:
    rows = healthy(4_000, seed=3)
    with_fault(rows, 3_000, 3_300, size=6.0)
    loop.label(3_000, 3_300, Verdict.TRUE_FAULT)
    store_rows(loop.store, rows, start_us=START_US)
    alone, rivals = loop.run(until=4_000), loop.run(until=4_000, rivals=3)
    figures = [one.figures["challenger"] for one in (alone, rivals)]
    assert all(isinstance(one, dict) for one in figures)
    assert rivals.figures["candidates"] == 3
    assert rivals.figures["algorithm"] in ("whitening", "autoencoder")
    assert rank_of(figures[1]) <= rank_of(figures[0])


def rank_of(figures: object) -> tuple[float, float]:
    assert isinstance(figures, dict)
    return (-figures["found"], figures["alarms_per_day"])


def test_a_better_challenger_is_promoted_and_its_package_scores_as_it_promises(loop: Loop) -> None:
    rows = healthy(N, seed=3)
    rows[3_000:] *= 1.6  # the machine works harder than when the first model learned
    for begin in (8_000, 10_000, 11_500):
        with_fault(rows, begin, begin + 300, size=9.0)
        loop.label(begin, begin + 300, Verdict.TRUE_FAULT)
    store_rows(loop.store, rows, start_us=START_US)
    first = loop.run(until=3_000)
    assert (first.is_promoted, first.champion, first.challenger) == (True, None, 1)
    loop.serve(1)
    second = loop.run(cause=Cause.DRIFT)
    assert (second.is_promoted, second.champion, second.challenger, second.cause) == (True, 1, 2, Cause.DRIFT)
    assert shown(second, "challenger")["alarms_per_day"] <= shown(second, "champion")["alarms_per_day"]
    assert shown(second, "challenger")["found"] == shown(second, "challenger")["faults"] == 3
    assert float(str(second.figures["int8_agreement"])) >= LEAST_AGREEMENT
    model = loop.registry.get("pump")
    assert model.aliases == {CHAMPION: 1, CHALLENGER: 2}
    package = unpack_package(loop.registry.read(loop.registry.version("pump", 2)))
    assert (package.card.version, package.card.lineage.devices, package.card.lineage.labels) == (2, ("gw-1/pump-1",), 3)
    scores = (
        Scorer(package.card.scoring, load_network(package.network)).take(np.array(package.card.self_test.rows)).score
    )
    expected = np.array(package.card.self_test.scores)
    np.testing.assert_allclose(scores[-len(expected) :], expected, atol=package.card.self_test.tolerance)
    assert expected.max() > 0.5 > expected.min()
    with loop.records.reading() as session:
        assert {key.tag for key in baseline_keys(session)} == set(TAGS)


def test_a_first_challenger_is_compared_with_what_gateways_did_by_themselves(loop: Loop) -> None:
    rows = healthy(N, seed=7)
    with_fault(rows, 10_000, 10_300, size=9.0)
    store_rows(loop.store, rows, start_us=START_US)
    loop.label(10_000, 10_300, Verdict.TRUE_FAULT)
    loop.raise_alarms(5_000, 9_990, 11_000, 11_500, model="own@2")
    loop.raise_alarms(11_600, model="other@1")
    assert loop.run().figures["champion"] is None  # nothing was judged, as nobody sent a score
    store_rows(loop.store, rows[:, :1], start_us=START_US, tags=(SCORE_TAG,))
    told = loop.run()
    own = shown(told, "champion")
    days = 0.3 * N / 86_400
    assert (own["found"], own["faults"]) == (1, 1)
    assert own["alarms_per_day"] == pytest.approx(2 / days, rel=0.1)
    assert told.is_promoted
    loop.raise_alarms(2_000, model="own@1")
    loop.label(2_000, 2_300, Verdict.TRUE_FAULT)
    less = loop.run()
    assert less.reasons == ("it finds fewer recorded faults: 1 against 2",)


def test_a_worse_challenger_is_refused_and_the_champion_goes_on(loop: Loop) -> None:
    rows = healthy(2 * N, seed=4)
    for begin in (20_000, 23_000):
        with_fault(rows, begin, begin + 300, size=5.0)
        loop.label(begin, begin + 300, Verdict.TRUE_FAULT)
    store_rows(loop.store, rows[:N], start_us=START_US)
    assert loop.run().is_promoted
    loop.serve(1)
    spoiled = rows[N:].copy()
    loose = int(0.65 * N)  # a sensor that is loose for so long teaches the challenger that anything goes
    spoiled[:loose, 3] += np.random.default_rng(4).normal(scale=12.0, size=loose)
    store_rows(loop.store, spoiled, start_us=START_US + N * SECOND_US)
    second = loop.run(until=2 * N, days=N * 1.0 / 86_400)
    assert not second.is_promoted
    assert any("fewer recorded faults" in reason for reason in second.reasons), second.reasons
    assert loop.registry.get("pump").aliases == {CHAMPION: 1, CHALLENGER: 1}
    assert loop.registry.version("pump", second.challenger).card["verdict"] == "refused"


def test_rows_of_a_true_fault_teach_nothing_and_those_of_a_false_alarm_do(loop: Loop) -> None:
    rows = healthy(N, seed=5)
    with_fault(rows, 2_000, 4_000, size=20.0)
    store_rows(loop.store, rows, start_us=START_US)
    loop.label(2_000, 4_000, Verdict.FALSE_ALARM)
    loop.run()
    with_false_alarm = unpack_package(loop.registry.read(loop.registry.version("pump", 1)))
    with loop.records.writing() as session:
        for label in list_labels(session):
            delete_label(session, label.id)
    loop.label(2_000, 4_000, Verdict.TRUE_FAULT)
    loop.run()
    with_fault_left_out = unpack_package(loop.registry.read(loop.registry.version("pump", 2)))
    taught, kept = with_false_alarm.card.lineage.rows, with_fault_left_out.card.lineage.rows
    assert taught - kept == pytest.approx(0.7 * 2_060, abs=5)
    assert max(with_fault_left_out.card.scoring.width) < max(with_false_alarm.card.scoring.width)


def test_what_cannot_be_learned_from_is_refused_by_its_field(loop: Loop) -> None:
    store_rows(loop.store, healthy(1_000, seed=1), start_us=START_US)
    with pytest.raises(Invalid, match="rows"):
        loop.run(until=40)
    with pytest.raises(Invalid, match="finds no anomalies"):
        loop.run(until=1_000, algorithm="gradient_boosting_classifier")
    assert loop.registry.list() == []


@pytest.mark.slow
def test_what_gateways_cannot_run_is_no_challenger(loop: Loop) -> None:
    store_rows(loop.store, healthy(1_000, seed=1), start_us=START_US)
    with pytest.raises(Invalid, match="no model that gateways can run"):
        loop.run(until=1_000, algorithm="isolation_forest")
    assert loop.registry.list() == []


def test_a_request_leaves_to_the_champion_what_it_does_not_say(loop: Loop) -> None:
    store_rows(loop.store, healthy(3_000, seed=6), start_us=START_US)
    loop.run(until=3_000, tags=("flow", "speed"))
    known = package_of(loop.registry, "pump")
    assert known is not None
    filled = RetrainRequest("pump").filled(known[1].card)
    assert (filled.devices, filled.tags, filled.period_s, filled.algorithm) == (
        ("gw-1/pump-1",),
        ("flow", "speed"),
        1.0,
        "whitening",
    )
    assert parse_request(filled.parameters()) == filled


WELL = Showing(1.0, 3, 4)


@pytest.mark.parametrize(
    ("champion", "challenger", "agreement", "is_promoted"),
    [
        (WELL, WELL, 1.0, True),
        (WELL, Showing(0.5, 4, 4), 0.99, True),
        (None, Showing(9.0, 0, 4), 0.99, True),
        (WELL, Showing(1.1, 4, 4), 1.0, False),
        (WELL, Showing(0.0, 2, 4), 1.0, False),
        (WELL, WELL, 0.989, False),
        (None, WELL, 0.0, False),
    ],
)
def test_a_challenger_serves_only_where_it_does_no_worse(
    champion: Showing | None, challenger: Showing, agreement: float, *, is_promoted: bool
) -> None:
    verdict = compare(champion, challenger, agreement)
    assert verdict.is_promoted is is_promoted
    assert bool(verdict.reasons) is not is_promoted
