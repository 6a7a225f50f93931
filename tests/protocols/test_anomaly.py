"""Anomaly: what a gateway tells is what the cloud reads, and nothing malformed passes for one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.anomaly import CLOSED, MAX_SHARES, OPENED, Anomaly, AnomalySource, read_anomaly
from protocols.batch import GatewayEvent, Key
from protocols.codec import open_event, pack, seal_event, unpack
from protocols.errors import InvalidContent

numbers = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 4))
channels = st.text(st.characters(codec="utf-8", exclude_characters=";"), min_size=1, max_size=20).map(
    lambda text: text.strip() or "flow"
)


@st.composite
def anomalies(draw: st.DrawFn) -> Anomaly:
    return Anomaly(
        episode=draw(st.text(max_size=40)),
        source=draw(st.sampled_from(AnomalySource)),
        device=draw(st.text(max_size=20)),
        channel=draw(channels),
        shares=tuple((draw(channels), draw(numbers)) for _ in range(draw(st.integers(0, MAX_SHARES)))),
        score=draw(numbers),
        peak=draw(numbers),
        onset_us=draw(st.integers(0, 2**53)),
        at_us=draw(st.integers(0, 2**53)),
        model=draw(st.text(max_size=40)),
        limit=draw(st.text(max_size=40)),
    )


@given(anomalies(), st.sampled_from([OPENED, CLOSED]))
def test_what_is_told_is_what_is_read(anomaly: Anomaly, name: str) -> None:
    assert read_anomaly(anomaly.event(name)) == anomaly


def test_an_anomaly_survives_the_wire() -> None:
    told = _anomaly().event(OPENED)
    frame = unpack(pack(seal_event(told, segment=0), gateway="gw-1", key=Key(1, 1)))
    assert read_anomaly(open_event(frame)) == _anomaly()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("shares", "a lot vibration", "shares"),
        ("shares", 7, "shares"),
        ("score", "high", "score"),
        ("source", "feeling", "source"),
        ("onset_us", 1.5, "onset_us"),
    ],
)
def test_a_malformed_anomaly_is_refused_with_the_field_that_is_wrong(field: str, value: object, says: str) -> None:
    event = _anomaly().event(OPENED)
    detail = msgspec.convert({**event.detail, field: value}, dict[str, str | int | float | bool])
    with pytest.raises(InvalidContent, match=says):
        read_anomaly(GatewayEvent(event.at_us, event.name, event.device, detail))


def test_an_event_without_the_fields_of_an_anomaly_is_none() -> None:
    with pytest.raises(InvalidContent):
        read_anomaly(GatewayEvent(1, OPENED, "pump-1"))


def _anomaly() -> Anomaly:
    shares = (("vibration", 0.71), ("outlet pressure", 0.2))
    return Anomaly(
        episode="pump-1:1",
        source=AnomalySource.MODEL,
        device="pump-1",
        channel="vibration",
        shares=shares,
        score=0.75,
        peak=0.9,
        onset_us=10,
        at_us=20,
        model="own@1",
    )
