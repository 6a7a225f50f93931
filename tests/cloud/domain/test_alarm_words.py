"""What gateways tell, in an operator's words; nothing that comes off a wire can stop it."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud.domain.alarm import Severity
from cloud.domain.alarm_words import EventRow, Raise, sentence, steps_of
from protocols.anomaly import CLOSED, OPENED, RESET, AnomalySource
from protocols.batch import GatewayEvent
from protocols.errors import InvalidContent
from tests.support.alarms import anomaly
from tests.support.cloud_clock import START_US

NAMES = (OPENED, CLOSED, RESET, "device_lost", "model_refused", "clock_stepped", "readings_refused", "anything")
GOOD = anomaly().event(OPENED).detail
DETAIL = st.dictionaries(
    st.sampled_from([*GOOD, "reason", "detail", "readings", "stepped_us", "name", "version"]),
    st.text(max_size=20) | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.booleans(),
)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (AnomalySource.FROZEN, "vibration of pump-1 is frozen: 60 s"),
        (AnomalySource.RANGE, "vibration of pump-1 is out of its range: 60 s"),
        (AnomalySource.RATE, "vibration of pump-1 changes too fast: 60 s"),
    ],
)
def test_a_rule_says_what_was_broken(source: AnomalySource, words: str) -> None:
    assert sentence(anomaly(source=source, limit="60 s")) == words


def row(event: str, /, **detail: str | float | bool) -> EventRow:
    return EventRow(1, "gw-1", 7, GatewayEvent(START_US, event, "pump-1", detail))


def test_a_refused_model_is_named_with_the_reason() -> None:
    (step,) = steps_of(row("model_refused", name="fleet", version=4, reason="tampered", detail="a hash does not hold"))
    assert isinstance(step, Raise)
    assert step.finding.message == "the model fleet@4 for pump-1 was refused: tampered, a hash does not hold"
    assert (step.finding.severity, step.is_over) == (Severity.WARNING, True)


def test_a_model_that_failed_is_over_where_another_one_judges_and_stays_where_none_does() -> None:
    (replaced,) = steps_of(row("model_off", model="fleet@4", reason="too slow", now="own@2"))
    (off,) = steps_of(row("model_off", model="own@2", reason="too slow", now="off"))
    assert isinstance(replaced, Raise)
    assert isinstance(off, Raise)
    assert replaced.finding.message == "the model fleet@4 of pump-1 failed: too slow; own@2 judges instead"
    assert off.finding.message == "no model judges pump-1 any more: too slow; its rules go on"
    assert (replaced.is_over, off.is_over) == (True, False)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("model_lost", "the model fleet@4 of pump-1 is gone from its disk: x.lsp was altered"),
        ("models_not_on_disk", "what pump-1 is judged by cannot be kept on its disk: x.lsp was altered"),
    ],
)
def test_a_disk_that_keeps_no_models_is_told(event: str, words: str) -> None:
    (step,) = steps_of(row(event, name="fleet", version=4, reason="x.lsp was altered"))
    assert isinstance(step, Raise)
    assert (step.finding.message, step.is_over) == (words, True)


def test_what_the_cloud_ordered_is_no_alarm() -> None:
    assert steps_of(row("model_rolled_back", name="fleet", version=4, reason="not_wanted")) == []


def test_a_store_that_went_back_is_told_with_what_is_sent_again() -> None:
    event = GatewayEvent(at_us=7, name="store_went_back", detail={"batches": 12, "generation": 3})
    (step,) = steps_of(EventRow(1, "gw-1", 5, event))
    assert isinstance(step, Raise)
    words = "the store lacks what it had acknowledged to gw-1, as an old copy does; 12 batches are sent again"
    assert (step.condition.kind, step.finding.severity.value) == ("store_went_back", "critical")
    assert (step.finding.message, step.is_over) == (words, True)


def test_a_damaged_buffer_is_told_with_what_was_saved() -> None:
    detail: dict[str, str | int | float | bool] = {"file": "x", "reason": "not a database", "batches_saved": 40}
    (step,) = steps_of(EventRow(1, "gw-1", 5, GatewayEvent(at_us=7, name="buffer_damaged", detail=detail)))
    assert isinstance(step, Raise)
    assert step.finding.message == "the buffer of gw-1 was damaged: not a database; 40 batches were saved"


@pytest.mark.parametrize(
    "change", [{"shares": "inf vibration"}, {"shares": "nan v"}, {"score": 1.5}, {"peak": -0.1}, {"source": "eye"}]
)
def test_an_anomaly_that_cannot_be_is_refused(change: dict[str, str | float]) -> None:
    with pytest.raises(InvalidContent, match=next(iter(change))):
        steps_of(row(OPENED, **{**GOOD, **change}))


@example(OPENED, "pump\0", {**GOOD, "channel": "a\0" * 300, "onset_us": -(2**63)})
@given(st.sampled_from(NAMES), st.text(max_size=20), DETAIL)
def test_whatever_a_gateway_tells_is_understood_or_refused_by_name(
    name: str, device: str, detail: dict[str, str | int | float | bool]
) -> None:
    for told in (detail, {**GOOD, **detail}):
        event = GatewayEvent(START_US, name, device, told)
        try:
            steps = steps_of(EventRow(1, "gw-1", 7, event))
        except InvalidContent:
            continue
        kept = msgspec.json.encode(steps).decode()
        assert "\\u0000" not in kept
        for step in steps:
            if isinstance(step, Raise):
                assert len(step.finding.message) <= 500
                assert 0 <= step.finding.onset_us <= step.finding.at_us
