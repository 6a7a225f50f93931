"""Plain JSON: any payload gives messages or errors that say which field; what the agent sends, the cloud reads."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InvalidTelemetry
from protocols.plain_json import (
    MAX_TELEMETRY_BYTES,
    Message,
    Value,
    decode,
    encode,
    to_block,
)
from protocols.reading import Column, Kind, Quality, ReadingBlock, join
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.readings import START_US, block, column, table, text_block

ARRIVED_US = START_US + 5
TS = START_US // 1000
VALUES = st.none() | st.booleans() | st.floats() | st.integers(-(1 << 70), 1 << 70) | st.text(max_size=5)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
FIELDS = st.sampled_from(["ts", "values", "quality", "other"])


def one(payload: str) -> Message:
    (message,) = decode(payload.encode(), arrived_us=ARRIVED_US).messages
    return message


def test_a_message_is_read_with_its_time_values_and_qualities() -> None:
    message = one(
        f'{{"ts": {TS}, "values": {{"flow": 25, "on": true, "mode": "auto", "level": null}},'
        ' "quality": {"level": "device lost", "flow": "out of range"}}'
    )

    assert message.time_us == START_US
    assert message.values == {"flow": 25, "on": True, "mode": "auto", "level": None}
    assert message.quality == {"level": Quality.DEVICE_LOST, "flow": Quality.OUT_OF_RANGE}


def test_a_time_may_have_a_fraction_or_be_that_of_arrival() -> None:
    assert one(f'{{"ts": {TS}.25, "values": {{"a": 1}}}}').time_us == START_US + 250
    assert one('{"values": {"a": 1}}').time_us == ARRIVED_US


def test_one_bad_message_of_a_list_touches_none_of_the_others() -> None:
    found = decode(
        b'[{"values": {"a": 1}}, {"values": {"a": [1]}}, 3, {"values": {"a": 1e999}}, {"values": {"a": 2}}]',
        arrived_us=ARRIVED_US,
    )

    assert [message.values for message in found.messages] == [{"a": 1}, {"a": 2}]
    assert [str(error).split(":")[0] for error in found.errors] == ["[1].values.a", "[2]", "[3]"]


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ('{"values": {"flow": [1]}}', "values.flow: expected number, bool or text, not list"),
        ('{"values": {"flow": {"v": 1}}}', "values.flow: expected number, bool or text, not object"),
        ('{"values": {"flow": null}}', "values.flow: null needs"),
        ('{"values": {"flow": null}, "quality": {"flow": "stale"}}', "values.flow: null needs"),
        ('{"values": {"flow": 18446744073709551616}}', "values.flow: a whole number of more than 64 bits"),
        ('{"values": {"flow": -9223372036854775809}}', "values.flow: a whole number of more than 64 bits"),
        ('{"values": {"": 1}}', "values.: a name has 1 to"),
        (f'{{"values": {{"{"n" * 129}": 1}}}}', "a name has 1 to"),
        (f'{{"values": {{"mode": "{"x" * 5000}"}}}}', "values.mode: a text of 5000"),
        ('{"values": {}}', "values: expected an object of names and values, not an empty one"),
        ('{"values": [1]}', "values: expected an object of names and values, not list"),
        ('{"ts": 1700000000000}', "values: expected an object of names and values, not nothing"),
        ('{"ts": "now", "values": {"a": 1}}', "ts: expected milliseconds since 1970 as a number, not text"),
        ('{"ts": true, "values": {"a": 1}}', "ts: expected milliseconds since 1970 as a number, not bool"),
        ('{"ts": null, "values": {"a": 1}}', "ts: expected milliseconds since 1970 as a number, not nothing"),
        ('{"ts": 1700000000, "values": {"a": 1}}', "ts: 1700000000 ms since 1970 is not between"),
        ('{"ts": 1700000000000000, "values": {"a": 1}}', "is not between the years 2000 and 2200"),
        ('{"ts": -1, "values": {"a": 1}}', "ts: -1 ms"),
        ('{"values": {"a": 1}, "quality": {"a": "fine"}}', "quality.a: expected one of good,"),
        ('{"values": {"a": 1}, "quality": {"a": 3}}', "not number"),
        ('{"values": {"a": 1}, "quality": {"b": "stale"}}', "quality.b: there is no value of that name"),
        ('{"values": {"a": 1}, "quality": ["stale"]}', "quality: expected an object"),
        ('{"value": {"a": 1}, "values": {"a": 1}}', "value: unknown"),
        ('{"values": {"a": NaN}}', "payload"),
        ('{"values": {"a": Infinity}}', "payload"),
        ('{"values": {"a": 1e999}}', "payload"),
        ("17", "payload: expected an object, not number"),
        ("", "payload"),
        ("[", "not JSON"),
        ('[{"values": {"a": 1}}', "not JSON"),
        ('{"values":' + "[" * 100_000, "payload"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(payload: str, says: str) -> None:
    with pytest.raises(InvalidTelemetry) as caught:
        decode(payload.encode(), arrived_us=ARRIVED_US)

    assert says in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_payload_is_bounded_in_size_messages_and_values() -> None:
    with pytest.raises(InvalidTelemetry, match="bytes"):
        decode(b" " * (MAX_TELEMETRY_BYTES + 1), arrived_us=ARRIVED_US)
    with pytest.raises(InvalidTelemetry, match="10001 messages"):
        decode(b"[" + b",".join([b'{"values":{"a":1}}'] * 10_001) + b"]", arrived_us=ARRIVED_US)
    many = json.dumps({"values": {f"{index:x}": 1 for index in range(2000)}}, separators=(",", ":")).encode()
    with pytest.raises(InvalidTelemetry, match="values in one payload"):
        decode(
            b"[" + b",".join([b'{"values":{' + b",".join(b'"%x":1' % i for i in range(14)) + b"}}"] * 9500) + b"]",
            arrived_us=ARRIVED_US,
        )
    assert len(decode(many, arrived_us=ARRIVED_US).messages[0].values) == 2000


@given(raw=st.binary(max_size=60))
def test_any_bytes_give_messages_or_a_clear_error(raw: bytes) -> None:
    with pytest.raises(InvalidTelemetry):
        decode(raw + b"!", arrived_us=ARRIVED_US)


@given(found=st.lists(st.dictionaries(FIELDS, JSON, max_size=3), max_size=4) | JSON)
def test_any_json_gives_messages_that_make_a_block_or_clear_errors(found: object) -> None:
    payload = json.dumps(found).encode()

    try:
        telemetry = decode(payload, arrived_us=ARRIVED_US)
    except InvalidTelemetry as error:
        assert str(error)  # noqa: PT017  # messages are as good an outcome
        return
    names, readings = to_block(telemetry.messages)
    assert len(readings) == sum(len(message.values) for message in telemetry.messages)
    assert len(telemetry.messages) + len(telemetry.errors) == (len(found) if isinstance(found, list) else 1)
    assert len(set(names)) == len(names)


def test_a_number_is_a_float_however_it_is_written() -> None:
    _, readings = to_block([one('{"values": {"flow": 25}}'), one('{"values": {"flow": 25.5}}')])

    assert [c.kind for c in readings.columns] == [Kind.FLOAT]
    assert readings.columns[0].value.tolist() == [25.0, 25.5]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1 << 53, Kind.FLOAT),
        ((1 << 53) + 1, Kind.INT),
        (-(1 << 63), Kind.INT),
        ((1 << 64) - 1, Kind.UINT),
        (True, Kind.BOOL),
        (None, Kind.FLOAT),
    ],
)
def test_a_value_is_kept_exactly_in_the_column_of_its_kind(value: Value, kind: Kind) -> None:
    _, readings = to_block([Message(5, {"a": value}, {"a": Quality.READ_ERROR} if value is None else {})])

    assert [c.kind for c in readings.columns] == [kind]
    np.testing.assert_array_equal(
        readings.columns[0].value, np.array([np.nan if value is None else value], dtype=kind.dtype)
    )


def test_names_and_texts_are_indexed_in_order_of_appearance() -> None:
    names, readings = to_block([Message(1, {"mode": "run", "flow": 1.0}), Message(2, {"flow": 2.0, "mode": "run"})])

    assert names == ("mode", "flow")
    assert readings.texts == ("run",)
    assert [c.tag.tolist() for c in readings.columns] == [[1, 1], [0, 0]]
    assert [c.time_us.tolist() for c in readings.columns] == [[1, 2], [1, 2]]


def test_the_agent_sends_one_message_for_each_time() -> None:
    readings = ReadingBlock((column([1.5, 2.5, 3.5], tag=[0, 1, 0], start_us=START_US, step_us=0),))
    later = block([4.0], tag=1, start_us=START_US + 1_000_500)

    sent = encode(join([later, ReadingBlock((readings.columns[0].take(np.array([0, 1])),))]), table("a", "b"), "pump-1")

    assert [json.loads(payload) for payload in sent] == [
        {"ts": TS, "values": {"a": 1.5, "b": 2.5}},
        {"ts": TS + 1000.5, "values": {"b": 4.0}},
    ]


def test_the_agent_names_only_what_is_not_good() -> None:
    bad = ReadingBlock((column([7.5, np.nan, 0.0, np.inf], tag=[0, 1, 2, 3], step_us=0, quality=[0x83, 0x81, 0, 0]),))

    (sent,) = encode(bad, table("a", "b", "c", "d"), "pump-1")

    assert json.loads(sent)["values"] == {"a": 7.5, "b": None, "c": 0.0, "d": None}
    assert json.loads(sent)["quality"] == {"a": "out of range", "b": "device lost", "d": "not a number"}


def test_the_agent_sends_a_device_its_own_readings_only() -> None:
    both = TagTable((DeviceInfo("p"), DeviceInfo("q")), (TagInfo(0, "a", Kind.FLOAT), TagInfo(1, "a", Kind.FLOAT)))
    readings = block([1.0, 2.0], tag=[0, 1])

    assert [json.loads(payload)["values"] for payload in encode(readings, both, "q")] == [{"a": 2.0}]
    assert encode(readings, both, "nobody") == []


@given(
    rows=st.lists(
        st.tuples(
            st.integers(START_US, START_US + (1 << 50)),
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([q for q in Quality if q.has_value]),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_what_the_agent_sends_the_cloud_reads_to_the_microsecond(rows: list[tuple[int, float, Quality]]) -> None:
    rows = sorted(rows)
    times, values, qualities = zip(*rows, strict=True)
    sent = ReadingBlock(
        (
            Column(
                Kind.FLOAT,
                np.zeros(len(rows), dtype=np.uint32),
                np.array(times, dtype=np.int64),
                np.array(values),
                np.array(qualities, dtype=np.uint8),
            ),
        )
    )

    payloads = encode(sent, table("flow"), "pump-1")
    messages = [message for p in payloads for message in decode(p, arrived_us=0).messages]

    assert to_block(messages)[1].is_identical(sent)


def test_texts_bools_and_large_numbers_survive_the_way() -> None:
    kinds = (Kind.INT, Kind.UINT, Kind.BOOL)
    numbers = [column([v], kind=k, tag=i) for i, (k, v) in enumerate(zip(kinds, (-(1 << 60), 1 << 63, 1), strict=True))]
    sent = join([*(ReadingBlock((c,)) for c in numbers), text_block(["läuft"], tag=3)])

    payloads = encode(sent, table("a", "b", "c", "d"), "pump-1")

    names, found = to_block([m for p in payloads for m in decode(p, arrived_us=0).messages])
    assert names == ("a", "b", "c", "d")
    assert found.is_identical(sent)
