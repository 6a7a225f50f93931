"""Values in registers: for every type and order the plant packs what the protocol's own decoder reads back."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.tags import Table, Tag, Value
from protocols.registers import RegisterFormat, decode
from protocols.tag import ByteOrder, DataType, WordOrder

NUMBERS = [kind for kind in DataType if kind not in (DataType.BOOL, DataType.TEXT)]
orders = st.tuples(st.sampled_from(WordOrder), st.sampled_from(ByteOrder))


def tag_of(kind: DataType, words: WordOrder, within: ByteOrder, *, scale: float = 1.0, offset: float = 0.0) -> Tag:
    bit, length = (5 if kind is DataType.BOOL else None), (6 if kind is DataType.TEXT else 1)
    return Tag("x", "x", kind, "", scale, offset, Table.HOLDING, 0, words, within, bit, length)


def read_back(tag: Tag, packed: bytes) -> Value:
    form = RegisterFormat(tag.type, tag.byte_order, tag.word_order, tag.bit, tag.length, tag.scale, tag.offset)
    (value,) = decode(np.frombuffer(packed, ">u2").astype(np.uint16), form)
    return value


@given(st.sampled_from(NUMBERS), orders, st.floats(-1e20, 1e20))
def test_a_number_survives_the_registers(kind: DataType, order: tuple[WordOrder, ByteOrder], number: float) -> None:
    tag = tag_of(kind, *order)
    raw = tag.raw(number)
    assert tag.unpack(tag.pack(raw)) == raw
    assert read_back(tag, tag.pack(raw)) == raw


@given(st.sampled_from([DataType.INT16, DataType.UINT16, DataType.INT32]), st.sampled_from([0.1, 0.25, 0.001, 10]))
def test_a_scaled_number_is_served_as_a_driver_computes_it(kind: DataType, scale: float) -> None:
    tag = tag_of(kind, WordOrder.BIG, ByteOrder.BIG, scale=scale, offset=-2.5)
    for raw in (0, 1, 253, 32767):
        assert tag.served(raw) == read_back(tag, tag.pack(raw))


def test_253_with_scale_a_tenth_is_25_point_3() -> None:
    assert tag_of(DataType.INT16, WordOrder.BIG, ByteOrder.BIG, scale=0.1).served(253) == 25.3


@given(orders, st.booleans())
def test_a_bit_survives_its_register(order: tuple[WordOrder, ByteOrder], is_on: bool) -> None:  # noqa: FBT001 - drawn
    tag = tag_of(DataType.BOOL, *order)
    assert read_back(tag, tag.pack(is_on)) is is_on
    assert tag.unpack(tag.pack(is_on)) is is_on


@given(orders, st.text(st.characters(min_codepoint=33, max_codepoint=0x7FF), max_size=12))
def test_a_text_is_cut_to_whole_characters_that_fit(order: tuple[WordOrder, ByteOrder], text: str) -> None:
    tag = tag_of(DataType.TEXT, WordOrder.BIG, order[1])
    raw = tag.raw(text)
    assert text.startswith(str(raw))
    assert len(str(raw).encode()) > min(len(text.encode()), 12) - 2
    assert read_back(tag, tag.pack(raw)) == raw


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        (DataType.INT16, 40_000, 32_767),
        (DataType.INT16, -40_000, -32_768),
        (DataType.UINT16, -1, 0),
        (DataType.UINT64, math.inf, 2**64 - 1),
        (DataType.INT32, math.nan, -(2**31)),
        (DataType.FLOAT32, 1e300, math.inf),
        (DataType.FLOAT32, 0.1, struct.unpack("f", struct.pack("f", 0.1))[0]),
    ],
)
def test_what_does_not_fit_is_clamped(kind: DataType, number: float, expected: float) -> None:
    assert tag_of(kind, WordOrder.BIG, ByteOrder.BIG).raw(number) == expected
