"""The laws of registers: every type in every order goes there and back, whatever the words are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocols.errors import InvalidContent, InvalidTag
from protocols.reading import Kind, Quality
from protocols.registers import Layout, Placed, RegisterFormat, decode, encode
from protocols.tag import ByteOrder, DataType, WordOrder

WHOLE = [t for t in DataType if t.kind in (Kind.INT, Kind.UINT)]
FLOATS = [DataType.FLOAT32, DataType.FLOAT64]
BYTE_ORDERS = st.sampled_from(ByteOrder)
WORD_ORDERS = st.sampled_from(WordOrder)


def words(*numbers: int) -> NDArray[np.uint16]:
    return np.array(numbers, dtype=np.uint16)


def limits(data_type: DataType) -> tuple[int, int]:
    bits = 16 * data_type.words
    return (0, (1 << bits) - 1) if data_type.kind == Kind.UINT else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


@given(data=st.data(), data_type=st.sampled_from(WHOLE), byte_order=BYTE_ORDERS, word_order=WORD_ORDERS)
def test_whole_numbers_go_there_and_back(
    data: st.DataObject, data_type: DataType, byte_order: ByteOrder, word_order: WordOrder
) -> None:
    form = RegisterFormat(data_type, byte_order, word_order)
    low, high = limits(data_type)
    values = data.draw(st.lists(st.integers(low, high) | st.sampled_from([low, high]), max_size=20))

    assert decode(encode(np.array(values, dtype=data_type.kind.dtype), form), form) == values


@given(data=st.data(), data_type=st.sampled_from(FLOATS), byte_order=BYTE_ORDERS, word_order=WORD_ORDERS)
def test_floats_go_there_and_back(
    data: st.DataObject, data_type: DataType, byte_order: ByteOrder, word_order: WordOrder
) -> None:
    form = RegisterFormat(data_type, byte_order, word_order)
    values = data.draw(st.lists(st.floats(width=32 if data_type == DataType.FLOAT32 else 64), max_size=20))

    np.testing.assert_array_equal(np.array(decode(encode(values, form), form), dtype=np.float64), values)


@given(
    raw=st.lists(st.integers(0, 0xFFFF), min_size=8, max_size=8),
    data_type=st.sampled_from([*WHOLE, DataType.FLOAT64]),
    byte_order=BYTE_ORDERS,
    word_order=WORD_ORDERS,
)
def test_any_words_are_what_their_value_encodes_to(
    raw: list[int], data_type: DataType, byte_order: ByteOrder, word_order: WordOrder
) -> None:
    form = RegisterFormat(data_type, byte_order, word_order)

    values = np.array(decode(words(*raw), form), dtype=data_type.kind.dtype)

    if not np.isnan(values.astype(np.float64)).any():
        assert encode(values, form).tolist() == raw


@pytest.mark.parametrize(
    ("byte_order", "word_order", "raw"),
    [
        (ByteOrder.BIG, WordOrder.BIG, (0x0102, 0x0304)),
        (ByteOrder.BIG, WordOrder.LITTLE, (0x0304, 0x0102)),
        (ByteOrder.LITTLE, WordOrder.BIG, (0x0201, 0x0403)),
        (ByteOrder.LITTLE, WordOrder.LITTLE, (0x0403, 0x0201)),
    ],
)
def test_the_four_orders_are_the_ones_that_devices_use(
    byte_order: ByteOrder, word_order: WordOrder, raw: tuple[int, int]
) -> None:
    form = RegisterFormat(DataType.UINT32, byte_order, word_order)

    assert decode(words(*raw), form) == [0x01020304]
    assert encode([0x01020304], form).tolist() == list(raw)


def test_a_float_lies_as_ieee_754_says() -> None:
    assert encode([1.5], RegisterFormat(DataType.FLOAT32)).tolist() == [0x3FC0, 0]
    assert encode([-2.0], RegisterFormat(DataType.FLOAT64)).tolist() == [0xC000, 0, 0, 0]


@given(
    raw=st.lists(st.integers(-32768, 32767), min_size=1, max_size=20),
    places=st.integers(0, 4),
    factor=st.integers(-50, 50).filter(bool),
    summand=st.integers(-4000, 4000),
)
def test_scaled_numbers_are_the_decimals_that_people_write(
    raw: list[int], places: int, factor: int, summand: int
) -> None:
    form = RegisterFormat(DataType.INT16, scale=factor / 10**places, offset=summand / 10**places)

    values = decode(encode(raw, RegisterFormat(DataType.INT16)), form)

    if form.is_scaled:
        assert values == [(number * factor + summand) / 10**places for number in raw]
    assert encode(values, form).view(np.int16).tolist() == raw


def test_a_scale_that_is_no_decimal_is_a_plain_factor() -> None:
    form = RegisterFormat(DataType.UINT16, scale=1 / 3, offset=0.1)

    assert decode(words(30), form) == [30 * (1 / 3) + 0.1]


def test_scaling_makes_a_float_of_any_number_and_nothing_else_does() -> None:
    assert RegisterFormat(DataType.INT16, scale=0.1).kind == Kind.FLOAT
    assert RegisterFormat(DataType.UINT64).kind == Kind.UINT
    assert RegisterFormat(DataType.BOOL).kind == Kind.BOOL


@given(raw=st.integers(0, 0xFFFF), bit=st.integers(0, 15), byte_order=BYTE_ORDERS)
def test_a_bit_is_counted_from_the_lowest_of_the_value(raw: int, bit: int, byte_order: ByteOrder) -> None:
    form = RegisterFormat(DataType.BOOL, byte_order, bit=bit)
    value = encode([raw], RegisterFormat(DataType.UINT16, byte_order))

    assert decode(value, form) == [bool(raw >> bit & 1)]
    assert decode(encode([True, False], form), form) == [True, False]


def test_a_bool_without_a_bit_is_any_word_but_0() -> None:
    assert decode(words(0, 1, 0x8000, 0xFF00), RegisterFormat(DataType.BOOL)) == [False, True, True, True]


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffd"), max_size=10).map(lambda t: t.rstrip(" ")),
    byte_order=BYTE_ORDERS,
)
def test_texts_go_there_and_back(text: str, byte_order: ByteOrder) -> None:
    form = RegisterFormat(DataType.TEXT, byte_order, length=20)

    assert decode(encode([text, text], form), form) == [text, text]


def test_a_text_ends_at_the_first_nul_and_without_its_padding() -> None:
    form = RegisterFormat(DataType.TEXT, length=3)

    assert decode(words(0x4142, 0x2020, 0x2020, 0x4142, 0x0043, 0x4400), form) == ["AB", "AB"]


def test_a_text_that_is_no_text_is_shown_and_bad() -> None:
    found = Layout([Placed(0, 0, RegisterFormat(DataType.TEXT, length=2))]).decode(words(0x41FF, 0x4200), 5)

    assert found.texts == ("A\ufffdB",)
    assert found.columns[0].quality.tolist() == [Quality.BAD]


def test_one_answer_becomes_one_block_with_a_row_for_each_tag() -> None:
    layout = Layout(
        [
            Placed(0, 0, RegisterFormat(DataType.INT16)),
            Placed(1, 1, RegisterFormat(DataType.FLOAT32)),
            Placed(2, 3, RegisterFormat(DataType.INT16, scale=0.1)),
            Placed(3, 4, RegisterFormat(DataType.BOOL, bit=1)),
            Placed(4, 4, RegisterFormat(DataType.BOOL, bit=0)),
            Placed(5, 5, RegisterFormat(DataType.TEXT, length=1)),
            Placed(6, 6, RegisterFormat(DataType.UINT16)),
            Placed(7, 7, RegisterFormat(DataType.INT32, word_order=WordOrder.LITTLE)),
        ]
    )

    found = layout.decode(words(0xFFFF, 0x3FC0, 0, 253, 2, 0x4F4B, 9, 1, 1), 77)

    values = {
        int(tag): value for c in found.columns for tag, value in zip(c.tag.tolist(), c.value.tolist(), strict=True)
    }
    assert layout.words == 9
    assert values == {0: -1, 1: 1.5, 2: 25.3, 3: 1, 4: 0, 5: 0, 6: 9, 7: 65537}
    assert found.texts == ("OK",)
    assert found.time_span_us() == (77, 77)


def test_each_word_may_bring_its_own_time() -> None:
    layout = Layout([Placed(i, i, RegisterFormat(DataType.UINT16)) for i in range(3)])

    found = layout.decode(words(1, 2, 3), np.array([10, 10, 20]))

    assert found.columns[0].time_us.tolist() == [10, 10, 20]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_float_that_is_no_number_keeps_its_value_and_says_so(value: float) -> None:
    form = RegisterFormat(DataType.FLOAT32, low=0, high=10)

    found = Layout([Placed(0, 0, form)]).decode(encode([value], form), 5).columns[0]

    np.testing.assert_array_equal(found.value, [value])
    assert found.quality.tolist() == [Quality.NOT_A_NUMBER]


def test_a_signalling_nan_is_a_reading_like_any_other() -> None:
    form = RegisterFormat(DataType.FLOAT32, scale=2.0)

    found = Layout([Placed(0, 0, form)]).decode(words(0x7F80, 1), 5).columns[0]

    assert found.quality.tolist() == [Quality.NOT_A_NUMBER]


def test_a_value_outside_its_range_is_transported_as_bad() -> None:
    form = RegisterFormat(DataType.INT16, scale=0.5, low=0, high=10)
    layout = Layout([Placed(i, i, form) for i in range(4)])

    found = layout.decode(encode([0, 10, 10.5, -0.5], form), 5).columns[0]

    assert found.value.tolist() == [0, 10, 10.5, -0.5]
    assert found.quality.tolist() == [0, 0, Quality.OUT_OF_RANGE, Quality.OUT_OF_RANGE]


def test_too_few_words_are_an_error_and_not_a_guess() -> None:
    with pytest.raises(InvalidContent, match="1 registers where 2"):
        Layout([Placed(0, 0, RegisterFormat(DataType.INT32))]).decode(words(1), 5)


def test_what_could_not_be_read_has_a_row_and_a_reason() -> None:
    layout = Layout([Placed(i, 0, RegisterFormat(data_type)) for i, data_type in enumerate(DataType)])

    found = layout.unread(5, Quality.DEVICE_LOST)

    assert len(found) == len(DataType)
    assert all((c.quality == Quality.DEVICE_LOST).all() for c in found.columns)
    assert np.isnan(found.columns[0].value).all()


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (40_000, RegisterFormat(DataType.INT16)),
        (-1, RegisterFormat(DataType.UINT16)),
        (1 << 63, RegisterFormat(DataType.INT64)),
        (-1, RegisterFormat(DataType.UINT64)),
        (2.0**64, RegisterFormat(DataType.UINT64)),
        (float("nan"), RegisterFormat(DataType.INT16)),
        (4000.0, RegisterFormat(DataType.INT16, scale=0.1)),
        ("twelve", RegisterFormat(DataType.INT16)),
        ("too long", RegisterFormat(DataType.TEXT, length=2)),
    ],
)
def test_a_value_that_does_not_fit_is_not_written(value: float | str, form: RegisterFormat) -> None:
    with pytest.raises(InvalidContent):
        encode([value], form)


@pytest.mark.parametrize(
    "parts",
    [
        {"type": DataType.INT16, "bit": 3},
        {"type": DataType.BOOL, "bit": 16},
        {"type": DataType.INT16, "length": 2},
        {"type": DataType.TEXT, "length": 0},
        {"type": DataType.TEXT, "length": 126},
        {"type": DataType.TEXT, "scale": 2.0},
        {"type": DataType.BOOL, "offset": 1.0},
        {"type": DataType.BOOL, "low": 0.0},
        {"type": DataType.INT16, "scale": 0.0},
        {"type": DataType.INT16, "scale": float("nan")},
        {"type": DataType.INT16, "offset": float("inf")},
        {"type": DataType.INT16, "low": 2.0, "high": 1.0},
    ],
)
def test_a_format_that_contradicts_itself_is_an_error(parts: dict[str, object]) -> None:
    with pytest.raises(InvalidTag):
        RegisterFormat(**parts)  # type: ignore[arg-type]  # what a configuration may say


def test_a_value_before_the_first_word_is_an_error() -> None:
    with pytest.raises(InvalidTag):
        Layout([Placed(0, -1, RegisterFormat(DataType.INT16))])
