"""The truth file: what is written is read back, whatever was cut off."""

import math
from pathlib import Path

import pytest

from firmware_sim.audience import Audience
from firmware_sim.clock import SystemClock
from firmware_sim.errors import InvalidTruth
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.machine import Row, Turn
from firmware_sim.tags import Value
from firmware_sim.truth import Header, TrueMachine, TrueTag, TruthWriter, read_truth

TAGS = tuple(TrueTag(name, kind) for name, kind in (("sequence", "uint32"), ("flow", "float32"), ("state", "string")))
HEADER = Header(1, "test", 7, 1, (TrueMachine("pump-1", "modbus", TAGS, "sequence"),))


def writer_at(path: Path) -> TruthWriter:
    return TruthWriter(path, SystemClock(), HEADER)


def row_of(number: int, flow: float = 1.5) -> Row:
    values: tuple[Value, ...] = (number, flow, "RUN")
    return Row(number, number * 1000, values, values)


def test_answers_come_back_with_their_tags_values_and_times(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    whole, part = truth.span("pump-1", (0, 1, 2)), truth.span("pump-1", (1,), "push")
    first, second = row_of(1), row_of(2, 2.0)
    truth.served(whole, first)
    truth.served(part, first, is_late=True)
    truth.served(whole, second)
    truth.close()
    told = read_truth(tmp_path / "t.jsonl")
    assert [(answer.row, answer.values, answer.how, answer.is_late) for answer in told] == [
        (1, (1, 1.5, "RUN"), "read", False),
        (1, (1.5,), "push", True),
        (2, (2, 2.0, "RUN"), "read", False),
    ]
    assert [value for _, value in told.series("pump-1", "flow")] == [1.5, 1.5, 2.0]
    assert isinstance(told.answers[2].values[1], float)
    assert told.rows("pump-1") == [1, 2]
    assert told.readings == 7
    assert told.headers == [HEADER]


def test_values_that_json_has_no_word_for_come_back(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    for number, flow in enumerate((math.inf, -math.inf, math.nan), start=1):
        truth.served(truth.span("pump-1", (1,)), row_of(number, flow))
    truth.close()
    values = [value for _, value in read_truth(tmp_path / "t.jsonl").series("pump-1", "flow")]
    assert values[:2] == [math.inf, -math.inf]
    assert math.isnan(float(values[2]))


def test_faults_and_mischief_are_windows(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    fault = Fault(4, "pump-1", FaultKind.LEAK, "pressure", 6.0, 10, 5)
    truth.fault(Turn(fault, is_on=True, at_us=100, row=10))
    truth.mischief(4, is_on=True, machine="pump-1", kind="silence")
    truth.fault(Turn(fault, is_on=False, at_us=200, row=15))
    truth.close()
    told = read_truth(tmp_path / "t.jsonl")
    (leak,), (silence,) = told.faults, told.mischiefs
    assert (leak.onset_us, leak.end_us, leak.row, leak.channel, leak.sigma) == (100, 200, 10, "pressure", 6.0)
    assert leak.channels == ("pressure", "flow", "current")
    assert (silence.kind, silence.machine, silence.end_us) == ("silence", "pump-1", None)


def test_an_answer_costs_a_few_bytes(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    span, row = truth.span("pump-1", (0, 1, 2)), row_of(1)
    for _ in range(1000):
        truth.served(span, row)
    truth.close()
    assert (tmp_path / "t.jsonl").stat().st_size < 1000 * 35 + 1000


def test_a_second_run_is_appended_behind_a_line_torn_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    truth = writer_at(path)
    truth.served(truth.span("pump-1", (0,)), row_of(1))
    truth.close()
    path.write_bytes(path.read_bytes()[:-5])
    assert len(read_truth(path)) == 0
    again = writer_at(path)
    again.served(again.span("pump-1", (1,)), row_of(9))
    again.close()
    told = read_truth(path)
    assert len(told.headers) == 2
    assert [(answer.row, answer.tags) for answer in told] == [(9, ("flow",))]


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda lines: [*lines[:2], b"nonsense", *lines[2:]], ":3:"),
        (lambda lines: [*lines[:2], *lines[3:]], ":3:"),
        (lambda lines: [lines[0], *lines[2:]], ":3:"),
        (lambda lines: lines[1:], ":1:"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path: Path, damage: object, place: str) -> None:
    path = tmp_path / "t.jsonl"
    truth = writer_at(path)
    for number in (1, 2):
        truth.served(truth.span("pump-1", (0,)), row_of(number))
    truth.close()
    assert callable(damage)
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(InvalidTruth, match=f"t.jsonl{place}"):
        read_truth(path)


def test_an_empty_or_missing_file_is_no_truth(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(InvalidTruth, match="has no header"):
        read_truth(tmp_path / "empty")
    with pytest.raises(InvalidTruth, match="cannot be read"):
        read_truth(tmp_path / "missing")


def test_what_is_queued_for_a_subscriber_is_told_when_it_is_back_and_only_then(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    audience = Audience(truth)
    audience.hear("pump-1", row_of(1), {0: {7}, 1: {7}}, {7})
    audience.hear("pump-1", row_of(2), {0: {7}, 1: {7, 8}}, {8})
    truth.flush()
    assert [(answer.row, answer.tags) for answer in read_truth(tmp_path / "t.jsonl")] == [
        (1, ("sequence", "flow")),
        (2, ("flow",)),
    ]
    audience.meet({7}, {7, 8})
    audience.meet({7}, {7, 8})
    truth.close()
    assert [(answer.row, answer.tags) for answer in read_truth(tmp_path / "t.jsonl")][2:] == [(2, ("sequence",))]


def test_what_is_queued_for_a_subscription_that_ends_is_never_told(tmp_path: Path) -> None:
    truth = writer_at(tmp_path / "t.jsonl")
    audience = Audience(truth)
    audience.hear("pump-1", row_of(1), {0: {7}}, set())
    audience.meet(set(), set())
    audience.meet({7}, {7})
    truth.close()
    assert len(read_truth(tmp_path / "t.jsonl")) == 0
