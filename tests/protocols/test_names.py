"""Tag tables, topics and delivery messages: what comes back is what was meant, and nothing else is taken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import delivery
from protocols.delivery import Ack, EpochAccount, EpochMarks, EpochRange, Hello, Rejected, State
from protocols.errors import InvalidContent, InvalidTopic
from protocols.reading import Kind
from protocols.tag import DataType, DeviceInfo, TagInfo, TagTable, table_hash
from protocols.topics import (
    NAME,
    GatewayAddress,
    GatewayTopic,
    check_name,
    gateway_filter,
    gateway_topic,
    parse_gateway,
    parse_telemetry,
    telemetry_filter,
    telemetry_topic,
)
from tests.support.readings import tables

NAMES = st.from_regex(NAME, fullmatch=True)


@given(tags=tables())
def test_a_table_is_named_by_the_hash_of_its_body(tags: TagTable) -> None:
    again = TagTable.from_body(tags.body)

    assert again == tags
    assert again.hash == tags.hash == table_hash(tags.body)


def test_tables_that_differ_in_one_unit_have_different_hashes() -> None:
    one = TagTable((DeviceInfo("pump"),), (TagInfo(0, "flow", Kind.FLOAT, unit="l/min"),))
    other = TagTable((DeviceInfo("pump"),), (TagInfo(0, "flow", Kind.FLOAT, unit="m3/h"),))

    assert one.hash != other.hash


@pytest.mark.parametrize(
    "tags",
    [
        TagTable((), (TagInfo(0, "flow", Kind.FLOAT),)),
        TagTable((DeviceInfo("pump"),), (TagInfo(-1, "flow", Kind.FLOAT),)),
        TagTable((DeviceInfo("pump"),), (TagInfo(0, "", Kind.FLOAT),)),
        TagTable((DeviceInfo(""),), (TagInfo(0, "flow", Kind.FLOAT),)),
        TagTable((DeviceInfo("p" * 300),), ()),
    ],
)
def test_a_table_with_names_that_lead_nowhere_is_refused(tags: TagTable) -> None:
    with pytest.raises(InvalidContent):
        TagTable.from_body(tags.body)


@given(raw=st.binary(max_size=100))
def test_any_bytes_as_a_table_give_a_table_or_a_clear_error(raw: bytes) -> None:
    try:
        found = TagTable.from_body(raw)
    except InvalidContent:
        return
    assert TagTable.from_body(found.body) == found


def test_a_deeply_nested_table_is_refused() -> None:
    with pytest.raises(InvalidContent):
        TagTable.from_body(b"\x81\xa1x" + b"\x91" * 100_000)


def test_every_type_has_a_kind_and_a_length() -> None:
    assert {data_type.kind for data_type in DataType} == set(Kind)
    assert {data_type: data_type.words for data_type in DataType if data_type.words > 1} == {
        DataType.INT32: 2,
        DataType.UINT32: 2,
        DataType.FLOAT32: 2,
        DataType.INT64: 4,
        DataType.UINT64: 4,
        DataType.FLOAT64: 4,
    }


@given(name=NAMES, part=st.sampled_from(GatewayTopic))
def test_topics_go_there_and_back(name: str, part: GatewayTopic) -> None:
    assert parse_gateway(gateway_topic(name, part)) == GatewayAddress(name, part)
    assert parse_telemetry(telemetry_topic(name)) == name


@given(text=st.text(max_size=40))
def test_any_text_as_a_topic_gives_a_name_or_a_clear_error(text: str) -> None:
    for topic, parse in ((f"v1/gw/{text}/data", parse_gateway), (f"v1/devices/{text}/telemetry", parse_telemetry)):
        try:
            parse(topic)
        except InvalidTopic:
            assert not NAME.fullmatch(text)
        else:
            assert NAME.fullmatch(text)


@pytest.mark.parametrize("topic", ["", "v1/gw/a", "v2/gw/a/data", "v1/gw/a/data/x", "v1/gw/a/other", "v1/gw//data"])
def test_a_topic_that_is_not_ours_is_refused(topic: str) -> None:
    with pytest.raises(InvalidTopic):
        parse_gateway(topic)


@pytest.mark.parametrize("name", ["", "-a", ".a", "a/b", "a+b", "#", "a" * 65, "ä", "a\n", "$a"])
def test_a_name_that_could_break_a_topic_is_refused(name: str) -> None:
    with pytest.raises(InvalidTopic):
        check_name(name)


def test_filters_take_every_gateway_and_may_be_shared() -> None:
    assert gateway_filter(GatewayTopic.DATA) == "v1/gw/+/data"
    assert gateway_filter(GatewayTopic.DATA, share="ingest") == "$share/ingest/v1/gw/+/data"
    assert telemetry_filter() == "v1/devices/+/telemetry"
    assert telemetry_filter(share="ingest") == "$share/ingest/v1/devices/+/telemetry"


HELLO = Hello(5, "0.1.0", (EpochRange(1 << 62, 1, 9, closed=True),), 1_700_000_000_000_000, 5_000, 3)
ACK = Ack(7, (EpochMarks(1 << 62, 4, ((6, 8),), 2, (Rejected(3, 3, "content"),)),), need=("0" * 16,), nonce=5)
STATE = State(online=True, epoch=1 << 62, accounts=(EpochAccount(1 << 62, 10, 5, 4, 1),))


@pytest.mark.parametrize("message", [HELLO, ACK, STATE])
def test_delivery_messages_go_there_and_back(message: Hello | Ack | State) -> None:
    form: type[Hello | Ack | State] = type(message)

    assert delivery.decode(delivery.encode(message), form) == message  # type: ignore[type-var]  # one of the three


@given(raw=st.binary(max_size=80))
def test_any_bytes_as_a_delivery_message_give_a_clear_error(raw: bytes) -> None:
    for form in (Hello, Ack, State):
        with pytest.raises(InvalidContent, match=form.__name__):
            delivery.decode(raw, form)  # type: ignore[type-var]  # one of the three


@pytest.mark.parametrize(
    "ack",
    [
        Ack(-1, ()),
        Ack(1, (EpochMarks(0, 1),)),
        Ack(1, (EpochMarks(1 << 63, 1),)),
        Ack(1, (EpochMarks(1, -1),)),
        Ack(1, (EpochMarks(1, 5, a=6),)),
        Ack(1, (EpochMarks(1, 5, sel=((9, 8),)),)),
        Ack(1, (EpochMarks(1, 5, rej=(Rejected(4, 3, "content"),)),)),
        Ack(1, (EpochMarks(1, 5, rej=(Rejected(3, 3, "c" * 2000),)),)),
    ],
)
def test_an_ack_that_cannot_be_is_refused(ack: Ack) -> None:
    with pytest.raises(InvalidContent):
        delivery.decode(delivery.encode(ack), Ack)


def test_a_hello_whose_range_ends_before_it_begins_is_refused() -> None:
    broken = msgspec.structs.replace(HELLO, epochs=(EpochRange(1, 9, 7, closed=False),))

    with pytest.raises(InvalidContent, match=r"9\.\.7"):
        delivery.decode(delivery.encode(broken), Hello)


def test_an_epoch_without_batches_can_be_told_of() -> None:
    empty = msgspec.structs.replace(HELLO, epochs=(EpochRange(1, 1, 0, closed=False),))

    assert delivery.decode(delivery.encode(empty), Hello) == empty


def test_a_message_over_the_bound_or_too_deep_is_refused() -> None:
    with pytest.raises(InvalidContent, match="over"):
        delivery.decode(b" " * (delivery.MAX_MESSAGE_BYTES + 1), State)
    with pytest.raises(InvalidContent, match="State"):
        delivery.decode(b'{"x":' + b"[" * 100_000, State)


def test_marks_cover_what_is_settled_and_nothing_else() -> None:
    marks = EpochMarks(1, 4, ((6, 8),))

    assert [seq for seq in range(1, 11) if marks.covers(seq)] == [1, 2, 3, 4, 6, 7, 8]
