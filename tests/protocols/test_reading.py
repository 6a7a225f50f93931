"""ReadingBlock keeps its invariants, Quality its severity, and joining loses no row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InvalidContent
from protocols.reading import SEVERITY_MASK, Column, Kind, Quality, ReadingBlock, join
from tests.support.readings import block, blocks, column, text_block


def rows(readings: ReadingBlock) -> list[tuple[Kind, int, int, object, int]]:
    """Return every reading with the bits of its value, texts resolved, kind by kind."""
    found: list[tuple[Kind, int, int, object, int]] = []
    for c in readings.columns:
        shown = [readings.texts[i] for i in c.value] if c.kind == Kind.TEXT else [v.tobytes() for v in c.value]
        found += zip([c.kind] * len(c), c.tag.tolist(), c.time_us.tolist(), shown, c.quality.tolist(), strict=True)
    return found


@given(parts=st.lists(blocks(max_size=8), max_size=4))
def test_joining_keeps_every_row_in_order(parts: list[ReadingBlock]) -> None:
    every = [row for kind in Kind for part in parts for row in rows(part) if row[0] == kind]

    assert rows(join(parts)) == every


def test_joined_texts_are_listed_once() -> None:
    joined = join([text_block(["run", "stop"]), text_block(["stop", "fault"])])

    assert joined.texts == ("run", "stop", "fault")
    assert joined.columns[0].value.tolist() == [0, 1, 1, 2]


def test_joining_nothing_gives_an_empty_block() -> None:
    assert len(join([])) == 0
    assert join([ReadingBlock(), block([1.0])]).is_identical(block([1.0]))


@given(readings=blocks())
def test_the_time_span_covers_every_reading(readings: ReadingBlock) -> None:
    times = [time for c in readings.columns for time in c.time_us.tolist()]

    assert readings.time_span_us() == ((min(times), max(times)) if times else None)


def test_blocks_differ_by_a_nan_payload_or_the_sign_of_zero() -> None:
    quiet, other = np.array([0x7FF8 << 48, (0x7FF8 << 48) | 1], dtype=np.uint64).view(np.float64)

    assert not block([quiet]).is_identical(block([other]))
    assert not block([0.0]).is_identical(block([-0.0]))
    assert block([quiet]).is_identical(block([quiet]))


def test_rows_are_taken_by_mask_or_index() -> None:
    whole = column([1.0, 2.0, 3.0], tag=[5, 6, 7])

    assert whole.take(np.array([True, False, True])).tag.tolist() == [5, 7]
    assert whole.take(np.array([2, 0])).value.tolist() == [3.0, 1.0]


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    good = column([1.0, 2.0])

    with pytest.raises(InvalidContent, match="shape"):
        Column(Kind.FLOAT, good.tag[:1], good.time_us, good.value, good.quality)
    with pytest.raises(InvalidContent, match="holds int64"):
        Column(Kind.INT, good.tag, good.time_us, good.value, good.quality)


def test_columns_out_of_order_or_a_text_from_nowhere_are_refused() -> None:
    with pytest.raises(InvalidContent, match="in order"):
        ReadingBlock((column([1], kind=Kind.INT), column([1.0])))
    with pytest.raises(InvalidContent, match="text 1"):
        ReadingBlock((column([1], kind=Kind.TEXT),), ("only",))


@pytest.mark.parametrize("quality", list(Quality))
def test_a_quality_says_its_severity_and_its_reason(quality: Quality) -> None:
    assert quality.is_good == (quality & SEVERITY_MASK == 0)
    assert quality.is_bad == (quality >= Quality.BAD)
    assert quality.text == quality.text.lower().strip()
    assert quality.has_value or quality.is_bad
