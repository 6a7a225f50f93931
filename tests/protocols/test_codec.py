"""The laws of the frame and of the columns inside: bit for bit back, and nothing from outside can do harm."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from protocols import columns
from protocols.batch import (
    MAX_ACCEPTED_BYTES,
    MAX_COUNTS,
    MAX_READINGS,
    BatchKind,
    Drop,
    GatewayEvent,
    Key,
    SealedBatch,
)
from protocols.codec import (
    Frame,
    open_data,
    open_drop,
    open_event,
    open_tags,
    pack,
    seal_data,
    seal_drop,
    seal_event,
    seal_tags,
    unpack,
)
from protocols.compression import compress
from protocols.errors import (
    ChecksumMismatch,
    InvalidContent,
    MalformedFrame,
    Oversized,
    ProtocolError,
    Truncated,
    UnknownVersion,
)
from protocols.reading import Kind, ReadingBlock
from protocols.tag import TagTable
from tests.support.readings import block, blocks, polls, table, tables, text_block

TABLE = "0123456789abcdef"
KEY = Key(epoch=(1 << 63) - 1, seq=7)
OPEN: dict[BatchKind, Callable[[Frame], object]] = {
    BatchKind.DATA: open_data,
    BatchKind.TAGS: open_tags,
    BatchKind.DROP: open_drop,
    BatchKind.EVENT: open_event,
}
MAX_MEMORY = 64 * 1024 * 1024


def frame_of(readings: ReadingBlock) -> bytes:
    return pack(seal_data(readings, segment=3, table=TABLE), gateway="gw-1", key=KEY)


def with_crc(content: bytes) -> bytes:
    return content + struct.pack("<I", zlib.crc32(content))


def with_header(header: object, body: bytes = b"") -> bytes:
    head = msgspec.msgpack.encode(header)
    return with_crc(struct.pack("<2sBH", b"LB", 1, len(head)) + head + body)


def with_body(body: bytes, *, count: int = 1, kind: BatchKind = BatchKind.DATA) -> Frame:
    has_table = kind in (BatchKind.DATA, BatchKind.TAGS)
    return unpack(pack(SealedBatch(kind, 0, TABLE if has_table else "", count, body), gateway="gw-1", key=KEY))


def read_whole(frame: bytes) -> None:
    opened = unpack(frame)
    OPEN[opened.header.kind](opened)


@given(readings=blocks())
def test_what_is_packed_comes_back_bit_for_bit(readings: ReadingBlock) -> None:
    frame = unpack(frame_of(readings))

    assert open_data(frame).is_identical(readings)
    assert (frame.header.gateway, frame.header.key, frame.header.count) == ("gw-1", KEY, len(readings))
    assert (frame.header.segment, frame.header.table) == (3, TABLE)


@pytest.mark.parametrize("kind", [Kind.FLOAT, Kind.INT, Kind.UINT])
def test_every_64_bits_survive_among_a_thousand_tags(kind: Kind) -> None:
    bits = np.random.default_rng(1).integers(0, 1 << 64, (5, 1000), dtype=np.uint64)

    readings = polls(bits.view(kind.dtype), kind=kind)

    assert open_data(unpack(frame_of(readings))).is_identical(readings)


@pytest.mark.parametrize("places", range(8))
@pytest.mark.parametrize("width", [np.float32, np.float64])
def test_decimals_come_back_bit_for_bit(places: int, width: type[np.floating]) -> None:
    whole = np.random.default_rng(places).integers(-100_000, 100_000, (20, 30))
    values = (whole / 10.0**places).astype(width).astype(np.float64)
    values[3, 5], values[4, 6], values[5, 7] = -0.0, np.inf, np.nan

    readings = polls(values)

    assert open_data(unpack(frame_of(readings))).is_identical(readings)


def test_decimals_take_less_room_than_the_noise_that_floats_make_of_them() -> None:
    tenths = np.random.default_rng(2).integers(0, 1000, (50, 100)) / 10

    assert len(frame_of(polls(tenths))) < 2 * tenths.size


def test_one_irregular_row_costs_no_reading_its_place() -> None:
    readings = polls(np.arange(60).reshape(6, 10), kind=Kind.INT)
    first = readings.columns[0]
    thinned = ReadingBlock((first.take(np.flatnonzero(np.arange(60) % 7)),))

    assert open_data(unpack(frame_of(thinned))).is_identical(thinned)


@given(tags=tables())
def test_a_tag_table_comes_back_under_its_hash(tags: TagTable) -> None:
    frame = unpack(pack(seal_tags(tags, segment=0), gateway="gw-1", key=KEY))

    assert open_tags(frame) == tags
    assert frame.header.table == tags.hash


def test_drops_and_events_come_back() -> None:
    drop = Drop(epoch=5, lo=1, hi=9, readings=9000, reason="buffer full", counts=((8, 1000), (1, 1000)))
    event = GatewayEvent(at_us=1, name="clock stepped", detail={"by_s": -3.5, "set": True, "source": "ntp"})

    dropped = unpack(pack(seal_drop(drop, segment=1), gateway="gw-1", key=KEY))
    happened = unpack(pack(seal_event(event, segment=1), gateway="gw-1", key=KEY))

    assert open_drop(dropped) == drop
    assert dropped.header.count == 9000
    assert open_event(happened) == event


def test_a_batch_cannot_be_opened_as_another_kind() -> None:
    frame = unpack(frame_of(block([1.0])))

    for kind, opened in OPEN.items():
        if kind != BatchKind.DATA:
            with pytest.raises(InvalidContent, match="DATA"):
                opened(frame)


@given(raw=st.binary(max_size=400))
def test_any_bytes_as_a_frame_give_a_clear_error(raw: bytes) -> None:
    with pytest.raises(MalformedFrame):
        unpack(raw)


@given(raw=st.binary(max_size=300), kind=st.sampled_from(BatchKind), is_packed=st.booleans())
def test_any_bytes_as_a_body_give_a_clear_error(raw: bytes, kind: BatchKind, is_packed: bool) -> None:  # noqa: FBT001  # drawn
    with pytest.raises(InvalidContent):
        OPEN[kind](with_body(compress(raw) if is_packed else raw, kind=kind))


@given(readings=blocks(max_size=8), data=st.data())
def test_a_damaged_frame_is_never_taken(readings: ReadingBlock, data: st.DataObject) -> None:
    frame = bytearray(frame_of(readings))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(MalformedFrame):
        unpack(bytes(frame))


@given(readings=blocks(max_size=8), data=st.data())
def test_damage_under_a_crc_that_holds_gives_a_value_or_a_clear_error(
    readings: ReadingBlock, data: st.DataObject
) -> None:
    body = bytearray(columns.encode(readings))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = columns.decode(bytes(body))
    except InvalidContent:
        return
    assert len(found) <= MAX_READINGS


@given(readings=blocks(max_size=8), data=st.data())
def test_damage_to_compressed_bytes_gives_a_value_or_a_clear_error(readings: ReadingBlock, data: st.DataObject) -> None:
    frame = bytearray(frame_of(readings)[:-4])
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        read_whole(with_crc(bytes(frame)))
    except ProtocolError as error:
        assert str(error)  # noqa: PT017  # a value is as good an outcome


@given(readings=blocks(max_size=8), data=st.data())
def test_half_a_frame_is_an_error(readings: ReadingBlock, data: st.DataObject) -> None:
    frame = frame_of(readings)

    with pytest.raises(MalformedFrame):
        unpack(frame[: data.draw(st.integers(0, len(frame) - 1))])


def test_the_error_says_what_is_wrong_with_a_frame() -> None:
    frame = frame_of(block([1.0]))

    with pytest.raises(Truncated):
        unpack(frame[:3])
    with pytest.raises(Truncated):
        unpack(frame[:12])
    with pytest.raises(ChecksumMismatch):
        unpack(frame[:-1] + bytes([frame[-1] ^ 1]))
    with pytest.raises(Oversized):
        unpack(frame + bytes(MAX_ACCEPTED_BYTES))
    with pytest.raises(MalformedFrame, match="begins with"):
        unpack(b"XX" + frame[2:])


@given(version=st.integers(0, 255).filter(lambda version: version != 1), rest=st.binary(min_size=2, max_size=50))
def test_the_version_is_looked_at_before_anything_else(version: int, rest: bytes) -> None:
    with pytest.raises(UnknownVersion, match=str(version)):
        unpack(b"LB" + bytes([version]) + rest)


@pytest.mark.parametrize(
    "header",
    [
        [9, "gw-1", 1, 1, 0, TABLE, 0],
        [0, "gw/1", 1, 1, 0, TABLE, 0],
        [0, "", 1, 1, 0, TABLE, 0],
        [0, "gw-1", 0, 1, 0, TABLE, 0],
        [0, "gw-1", 1 << 63, 1, 0, TABLE, 0],
        [0, "gw-1", 1, 0, 0, TABLE, 0],
        [0, "gw-1", 1, -1, 0, TABLE, 0],
        [0, "gw-1", 1, 1, -1, TABLE, 0],
        [0, "gw-1", 1, 1, 0, "no hash", 0],
        [0, "gw-1", 1, 1, 0, "", 0],
        [2, "gw-1", 1, 1, 0, TABLE, 0],
        [0, "gw-1", 1, 1, 0, TABLE, -1],
        [0, "gw-1", "1", 1, 0, TABLE, 0],
        [0, "gw-1"],
        "no header",
    ],
)
def test_a_header_that_cannot_be_is_malformed_although_the_crc_holds(header: object) -> None:
    with pytest.raises(MalformedFrame):
        unpack(with_header(header))


def test_a_header_that_cannot_be_is_not_packed_either() -> None:
    sealed = seal_data(block([1.0]), segment=0, table=TABLE)

    with pytest.raises(MalformedFrame):
        pack(sealed, gateway="a/b", key=KEY)
    with pytest.raises(MalformedFrame):
        pack(sealed, gateway="gw-1", key=Key(1, 0))


def test_a_frame_that_no_decoder_would_take_is_not_packed() -> None:
    sealed = SealedBatch(BatchKind.EVENT, 0, "", 0, bytes(MAX_ACCEPTED_BYTES))

    with pytest.raises(Oversized):
        pack(sealed, gateway="gw-1", key=KEY)


@pytest.mark.parametrize("kind", list(BatchKind))
def test_a_bomb_is_refused_before_it_takes_memory(kind: BatchKind) -> None:
    honest = zstandard.compress(bytes(256 * 1024 * 1024))
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(32 * 1024 * 1024))

    tracemalloc.start()
    for bomb in (honest, silent):
        with pytest.raises(InvalidContent, match="must say a size"):
            OPEN[kind](with_body(bomb, kind=kind))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < MAX_MEMORY


def test_a_few_bytes_cannot_claim_more_readings_than_a_batch_may_have() -> None:
    flat = polls(np.zeros((MAX_READINGS // 1000, 1000)))
    packed = msgspec.msgpack.decode(columns.encode(flat))
    packed[0][0][1] = MAX_READINGS + 1
    many = msgspec.msgpack.decode(columns.encode(ReadingBlock((flat.columns[0],))))
    many[0] = [many[0][0], many[0][0]]

    for claim in (packed, many):
        with pytest.raises(InvalidContent):
            columns.decode(msgspec.msgpack.encode(claim))


def test_more_readings_or_longer_texts_than_a_batch_may_hold_are_not_sealed() -> None:
    with pytest.raises(InvalidContent, match="readings"):
        seal_data(block(np.zeros(MAX_READINGS + 1)), segment=0, table=TABLE)
    with pytest.raises(InvalidContent, match="characters"):
        seal_data(text_block(["x" * 5000]), segment=0, table=TABLE)
    with pytest.raises(InvalidContent, match="Unicode"):
        seal_data(text_block(["\ud800"]), segment=0, table=TABLE)


def test_a_count_that_the_body_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidContent, match="header says 3 readings"):
        open_data(with_body(compress(columns.encode(block([1.0, 2.0]))), count=3))


def test_a_table_under_another_hash_is_refused() -> None:
    with pytest.raises(InvalidContent, match=TABLE):
        open_tags(with_body(compress(table("flow").body), kind=BatchKind.TAGS))


@pytest.mark.parametrize(
    "drop",
    [
        Drop(1, 5, 4, 10, "full"),
        Drop(1, 1, 4, 11, "full"),
        Drop(0, 1, 4, 10, "full"),
        Drop(1, 0, 4, 10, "full"),
        Drop(1, 1, 4, 10, "full", ((5, 2),)),
        Drop(1, 1, 4, 10, "full", ((4, 2),)),
        Drop(1, 1, 4, 10, "full", ((4, 2), (0, 2))),
        Drop(1, 1, 4, 10, "full", ((1, 11), (3, -1))),
        Drop(1, 1, MAX_COUNTS + 1, 10, "full", ((1, 10), *((1, 0),) * MAX_COUNTS)),
    ],
)
def test_a_drop_that_contradicts_itself_is_refused(drop: Drop) -> None:
    with pytest.raises(InvalidContent):
        open_drop(with_body(compress(msgspec.msgpack.encode(drop)), count=10, kind=BatchKind.DROP))


def test_a_drop_of_older_agents_counts_no_batches() -> None:
    body = {"epoch": 1, "lo": 2, "hi": 4, "readings": 10, "reason": "full"}
    dropped = open_drop(with_body(compress(msgspec.msgpack.encode(body)), count=10, kind=BatchKind.DROP))
    assert dropped == Drop(1, 2, 4, 10, "full")


def test_the_longest_drop_fits_into_its_body() -> None:
    many = tuple((1, MAX_READINGS - at % 2) for at in range(MAX_COUNTS))
    drop = Drop(1, 1, MAX_COUNTS, sum(each for _, each in many), "x" * 1024, many)
    assert open_drop(unpack(pack(seal_drop(drop, segment=0), gateway="gw-1", key=KEY))) == drop


def test_threads_do_not_share_what_must_not_be_shared() -> None:
    readings = polls(np.random.default_rng(4).normal(size=(20, 200)))

    def there_and_back(_: int) -> bool:
        return open_data(unpack(frame_of(readings))).is_identical(readings)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(64)))
