"""Labels: what operators said, without contradictions, and all or nothing from CSV."""

from dataclasses import replace

import pytest

from cloud.domain.label import MAX_ROWS, Label, Verdict, read_labels
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.records.database import Records
from cloud.records.labels import add_label, delete_label, list_labels, stretch_alarm_label
from tests.support.cloud_clock import START_US

AT = to_datetime(START_US)
HEADER = "device_id,from,to,verdict,kind,note\n"
ROW = "pump-1,2026-01-15T10:00:00Z,2026-01-15T11:00:00+00:00,true_fault,bearing,\n"


def a_label(from_us: int = 100, to_us: int = 200, verdict: Verdict = Verdict.TRUE_FAULT) -> Label:
    return Label(0, "gw-1", "pump-1", from_us, to_us, verdict, by="ann", at=AT)


def keep(records: Records, *labels: Label) -> list[Label]:
    with records.writing() as session:
        return [add_label(session, label) for label in labels]


def resolve(shown: str) -> tuple[str, str]:
    if shown != "pump-1":
        raise NotFound(f"there is no device {shown!r}")
    return "gw-1", shown


def read(text: str) -> list[Label]:
    return [label for _, label in read_labels(text, resolve, by="ann", at=AT)]


def test_labels_are_found_by_device_and_by_the_time_they_speak_of(records: Records) -> None:
    keep(records, a_label(300, 400), a_label(100, 200), replace(a_label(), device="pump-2"))
    with records.reading() as session:
        spans = [(one.from_us, one.to_us) for one in list_labels(session, source="gw-1", device="pump-1")]
        assert spans == [(100, 200), (300, 400)]
        assert [one.from_us for one in list_labels(session, device="pump-1", from_us=200, to_us=301)] == [300]
        assert list_labels(session, device="pump-1", from_us=200, to_us=300) == []
        assert len(list_labels(session)) == 3


def test_the_same_label_is_kept_once(records: Records) -> None:
    first, second = keep(records, a_label(), a_label())
    assert first == second


@pytest.mark.parametrize("span", [(100, 200), (199, 300), (0, 101), (120, 130), (0, 999)])
def test_another_verdict_on_the_same_time_is_a_conflict_that_names_both(
    records: Records, span: tuple[int, int]
) -> None:
    keep(records, a_label())
    with pytest.raises(Conflict, match="false_alarm: label 1 of ann says true_fault"):
        keep(records, a_label(*span, Verdict.FALSE_ALARM))


@pytest.mark.parametrize(
    "other",
    [
        a_label(200, 300, Verdict.FALSE_ALARM),
        a_label(0, 100, Verdict.FALSE_ALARM),
        a_label(150, 300),
        replace(a_label(verdict=Verdict.FALSE_ALARM), device="pump-2"),
        replace(a_label(verdict=Verdict.FALSE_ALARM), source=""),
    ],
)
def test_labels_that_touch_or_agree_or_are_of_another_device_stand_side_by_side(records: Records, other: Label) -> None:
    assert len(keep(records, a_label(), other)) == 2


def test_a_label_that_ends_before_it_begins_is_refused(records: Records) -> None:
    with pytest.raises(Invalid, match="to: must be after from"):
        keep(records, a_label(200, 200))


def test_a_label_can_be_taken_back_once(records: Records) -> None:
    (kept,) = keep(records, a_label())
    with records.writing() as session:
        assert delete_label(session, kept.id)
        assert not delete_label(session, kept.id)


def test_the_label_of_an_alarm_grows_with_it_and_never_shrinks(records: Records) -> None:
    keep(records, replace(a_label(), alarm_id="a"), a_label(500, 600))
    with records.writing() as session:
        stretch_alarm_label(session, "a", 300)
        stretch_alarm_label(session, "a", 250)
        assert [one.to_us for one in list_labels(session)] == [300, 600]


def test_csv_becomes_labels_whatever_the_order_of_its_columns() -> None:
    (label,) = read(HEADER + ROW)
    assert (label.source, label.device, label.verdict, label.kind) == ("gw-1", "pump-1", Verdict.TRUE_FAULT, "bearing")
    assert label.to_us - label.from_us == 3600 * 1_000_000
    swapped = "\ufeffverdict,to,from,device_id\r\ntrue_fault,2026-01-15T11:00:00Z,2026-01-15T10:00:00Z,pump-1\r\n\r\n"
    assert read(swapped)[0].from_us == label.from_us


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "row 1: a header without device_id, from, to, verdict"),
        (ROW, "row 1: a header without"),
        ("device_id,from,to,verdict,colour\n", "row 1: a header with colour"),
        ("device_id,from,to,verdict,verdict\n", "row 1: a header with a name twice"),
        (HEADER + ROW + "pump-9,,,,,\n", "row 3: there is no device 'pump-9'"),
        (HEADER + ROW.replace("T10", "T12"), "row 2: to: must be after from"),
        (HEADER + ROW.replace("Z,", ",", 1), "row 2: from: .* has no offset"),
        (HEADER + ROW.replace("2026-01-15T10:00:00Z", "=1+1"), "row 2: from: '=1\\+1' is no ISO 8601 time"),
        (HEADER + ROW.replace("true_fault", "maybe"), "row 2: verdict: 'maybe' is none of true_fault, false_alarm"),
        (HEADER + "pump-1,1\n", "row 2: row: has 2 cells, the header has 6"),
        (HEADER + ROW.replace("bearing", "b" * 65), "row 2: kind: has 65 characters"),
        (HEADER + 'pump-1,"2026\n', "row 2: not CSV"),
    ],
)
def test_a_row_that_cannot_be_a_label_is_named(text: str, finding: str) -> None:
    with pytest.raises(Invalid, match=finding):
        read(text)


def test_no_more_labels_are_read_than_anybody_gave() -> None:
    with pytest.raises(Invalid, match=f"row {MAX_ROWS + 2}: at most {MAX_ROWS}"):
        read(HEADER + ROW * (MAX_ROWS + 1))
