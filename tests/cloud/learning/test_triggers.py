"""Triggers: a served model learns anew for its age, for drift that stays, for new labels; once, and not too often."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from cloud.domain.autonomy import Autonomy, Level
from cloud.domain.decision import Choice, Decision, DecisionRequest
from cloud.domain.drift import BaselineKind, Corrected, DriftCheck, Origin
from cloud.domain.job import JobLimits
from cloud.domain.label import Label, Verdict
from cloud.domain.model import CHAMPION
from cloud.domain.retraining import Cause, Retraining
from cloud.domain.times import to_datetime
from cloud.jobs.queue import Jobs
from cloud.learning.algorithms.scored import open_network
from cloud.learning.packaging import About, make_package
from cloud.learning.registry import Registry
from cloud.learning.triggers import TriggerRules, Triggers
from cloud.ports import SeriesKey
from cloud.records.autonomy import set_level
from cloud.records.database import Records
from cloud.records.decisions import decide, list_requests
from cloud.records.drift import add_check
from cloud.records.labels import add_label
from cloud.records.retrainings import add_retraining
from cloud.storage.files import DirectoryFiles
from protocols.package import Lineage
from protocols.scoring.fit import fit
from tests.cloud.learning.test_retraining import NoPublisher
from tests.support.cloud_clock import HandClock
from tests.support.plant_rows import TAGS, healthy
from tests.support.records import new_records

RULES = TriggerRules(every_days=7, on_drift=True, new_labels=3, training_days=10)
DAY_S = 86_400


@dataclass(frozen=True)
class Served:
    """A model of pump-1 that serves, and what looks after it."""

    records: Records
    clock: HandClock
    jobs: Jobs

    def look(self, rules: TriggerRules = RULES) -> list[Cause]:
        """Look once and return the causes of all retrainings that were asked for so far."""
        Triggers(self.records, self.clock, self.jobs.add, rules, JobLimits(60, 512)).look()
        return [Cause(str(job.parameters["cause"])) for job in self.jobs.list()[0]]

    def drift(self, *, device: str = "pump-1", in_a_row: int = 3) -> None:
        """Let scheduled checks have found drift for so many times."""
        corrected = Corrected(
            is_drift=True, p_value=0.0, location_p=0.0, spread_p=1.0, shape_p=1.0, autocorrelation=0.9,
            effective_recent=50, effective_baseline=50,
        )  # fmt: skip
        check = DriftCheck(
            at=to_datetime(self.clock.now_us()), series=SeriesKey("gw-1", device, "flow"), origin=Origin.SCHEDULE,
            baseline=BaselineKind.TRAINING, window_minutes=60, p_value_threshold=0.05, recent_count=500,
            baseline_count=500, notes="", corrected=corrected, in_a_row=in_a_row,
        )  # fmt: skip
        with self.records.writing() as session:
            add_check(session, check)

    def label(self, number: int, *, device: str = "pump-1") -> None:
        """Let an operator say something of another hour."""
        begin, at = number * 3_600_000_000, to_datetime(self.clock.now_us())
        with self.records.writing() as session:
            add_label(session, Label(0, "gw-1", device, begin, begin + 1, Verdict.TRUE_FAULT, "anna", at))


def allow(records: Records, level: Level) -> None:
    """Let all families do that much by themselves."""
    with records.writing() as session:
        set_level(session, Autonomy("", level, "anna", to_datetime(1)))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Give a model that has just begun to serve."""
    records = new_records(tmp_path)
    clock = HandClock()
    registry = Registry(records, DirectoryFiles(tmp_path / "files"), clock, NoPublisher())
    rows = healthy(800, seed=1)
    fitted = fit(rows, TAGS, period_s=1.0)
    lineage = Lineage(made_at_us=1, made_by="test", algorithm="whitening", devices=("gw-1/pump-1",))
    package = make_package(fitted, open_network(fitted.network), rows, About("pump", lineage, {}))
    registry.add_package(package.pack(), by="test")
    registry.set_alias("pump", CHAMPION, 1, by="test")
    allow(records, Level.SUPERVISED)
    yield Served(records, clock, Jobs(records, clock))
    records.close()


def test_a_model_learns_anew_when_it_is_old_and_is_asked_once(served: Served) -> None:
    served.clock.move(6.9 * DAY_S)
    assert served.look() == []
    served.clock.move(0.2 * DAY_S)
    assert served.look() == [Cause.SCHEDULE]
    assert served.look() == [Cause.SCHEDULE]
    (job,), _ = served.jobs.list()
    assert (job.parameters["model"], job.parameters["days"], job.requested_by) == ("pump", 10, "schedule")


def test_drift_that_stays_on_a_device_of_the_model_makes_it_learn_anew(served: Served) -> None:
    served.clock.move(2 * 3600)
    served.drift(in_a_row=2)
    served.drift(device="pump-2")
    assert served.look() == []
    served.drift()
    assert served.look(replace(RULES, on_drift=False)) == []
    assert served.look() == [Cause.DRIFT]


def test_new_labels_of_its_devices_make_it_learn_anew(served: Served) -> None:
    served.clock.move(2 * 3600)
    for number in range(2):
        served.label(number)
    for number in range(5):
        served.label(number, device="pump-2")
    assert served.look() == []
    served.label(2)
    assert served.look(replace(RULES, new_labels=None)) == []
    assert served.look() == [Cause.LABELS]


def test_whatever_drifts_it_does_not_learn_anew_within_an_hour(served: Served) -> None:
    served.drift()
    assert served.look() == []
    served.clock.move(3601)
    assert served.look() == [Cause.DRIFT]


def test_a_retraining_that_was_refused_counts_as_one(served: Served) -> None:
    served.clock.move(8 * DAY_S)
    with served.records.writing() as session:
        add_retraining(session, refused(served.clock.now_us()))
    served.clock.move(2 * 3600)
    assert served.look() == []


def refused(at_us: int) -> Retraining:
    return Retraining("1" * 32, "pump", Cause.DRIFT, to_datetime(at_us), is_promoted=False, champion=1, challenger=2)


def questions(served: Served) -> list[DecisionRequest]:
    with served.records.reading() as session:
        return list(list_requests(session)[0])


def answer(served: Served, choice: Choice) -> None:
    at = to_datetime(served.clock.now_us())
    with served.records.writing() as session:
        decide(session, Decision(str(uuid4()), questions(served)[0].id, choice, "", "anna", "anna", at))


def test_a_family_that_is_off_learns_nothing_by_itself(served: Served) -> None:
    allow(served.records, Level.OFF)
    served.clock.move(8 * DAY_S)
    assert served.look() == []
    assert questions(served) == []


def test_a_family_that_only_suggests_asks_once_and_learns_when_somebody_agrees(served: Served) -> None:
    allow(served.records, Level.SUGGEST)
    served.clock.move(8 * DAY_S)
    assert served.look() == served.look() == []
    (asked,) = questions(served)
    assert (asked.kind, asked.evidence["model"], asked.evidence["cause"]) == ("recommendation", "pump", "schedule")
    answer(served, Choice.APPROVE)
    assert served.look() == [Cause.SCHEDULE]
    (job,), _ = served.jobs.list()
    assert job.parameters["rivals"] == 3


def test_a_yes_counts_for_one_retraining_only(served: Served) -> None:
    allow(served.records, Level.SUGGEST)
    served.clock.move(8 * DAY_S)
    served.look()
    answer(served, Choice.APPROVE)
    served.clock.move(60)
    with served.records.writing() as session:
        add_retraining(session, refused(served.clock.now_us()))
    served.clock.move(8 * DAY_S)
    assert served.look() == []
    assert [one.state for one in questions(served)] == ["open", "approved"]


def test_after_a_no_people_are_left_alone_for_a_week(served: Served) -> None:
    allow(served.records, Level.SUGGEST)
    served.clock.move(8 * DAY_S)
    served.look()
    answer(served, Choice.REJECT)
    served.clock.move(6.9 * DAY_S)
    served.look()
    assert len(questions(served)) == 1
    served.clock.move(0.2 * DAY_S)
    assert served.look() == []
    assert len(questions(served)) == 2
