"""What every Gate owes, whatever its rule."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.gates.deadband import DeadbandGate, DeadbandRules
from edge_agent.gates.quality import QualityGate, QualityRules
from edge_agent.ports import Gate
from protocols.reading import SEVERITY_MASK, Column, Kind, Quality, ReadingBlock

N_TAGS = 4


def quality_gate() -> Gate:
    low, high = np.full(N_TAGS, -10.0), np.full(N_TAGS, 10.0)
    return QualityGate(QualityRules(low, high, np.full(N_TAGS, 5_000_000, np.int64)))


def deadband_gate() -> Gate:
    rules = DeadbandRules(np.full(N_TAGS, 1.0), np.full(N_TAGS, 0.1), np.full(N_TAGS, 30_000_000, np.int64))
    return DeadbandGate(rules)


GATES: dict[str, Callable[[], Gate]] = {"quality": quality_gate, "deadband": deadband_gate}
Row = tuple[int, float, Quality]
rows = st.tuples(
    st.integers(0, N_TAGS - 1),
    st.floats(-20, 20) | st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.sampled_from(list(Quality)),
)
blocks = st.lists(st.lists(rows, max_size=8), max_size=8)


def block_of(given_rows: list[Row], start_us: int) -> ReadingBlock:
    n = len(given_rows)
    tag, value, quality = zip(*given_rows, strict=True) if given_rows else ((), (), ())
    column = Column(
        Kind.FLOAT,
        np.array(tag, np.uint32),
        start_us + np.arange(n, dtype=np.int64),
        np.array(value, np.float64),
        np.array(quality, np.uint8),
    )
    return ReadingBlock((column,))


def passed(gate: Gate, given_blocks: list[list[Row]]) -> list[tuple[ReadingBlock, ReadingBlock]]:
    made = [block_of(each, 1_000_000 * i) for i, each in enumerate(given_blocks)]
    return [(block, gate.pass_on(block)) for block in made]


@pytest.mark.parametrize("name", GATES)
@given(given_blocks=blocks)
def test_a_gate_only_drops_rows_or_lowers_qualities(name: str, given_blocks: list[list[Row]]) -> None:
    for before, after in passed(GATES[name](), given_blocks):
        offered, kept = before.columns[0], after.column(Kind.FLOAT)
        if kept is None:
            continue
        at = np.searchsorted(offered.time_us, kept.time_us)
        assert kept.value.tobytes() == offered.value[at].tobytes()
        assert kept.tag.tolist() == offered.tag[at].tolist()
        assert bool(((kept.quality & SEVERITY_MASK) >= (offered.quality[at] & SEVERITY_MASK)).all())


@pytest.mark.parametrize("name", GATES)
@given(given_blocks=blocks)
def test_a_gate_never_writes_into_the_block_it_was_given(name: str, given_blocks: list[list[Row]]) -> None:
    for i, given_rows in enumerate(given_blocks):
        block = block_of(given_rows, 1_000_000 * i)
        GATES[name]().pass_on(block)
        assert block.is_identical(block_of(given_rows, 1_000_000 * i))


@pytest.mark.parametrize("name", GATES)
@given(given_blocks=blocks)
def test_the_first_reading_of_a_tag_always_goes_on(name: str, given_blocks: list[list[Row]]) -> None:
    offered: set[int] = set()
    went_on: set[int] = set()
    for before, after in passed(GATES[name](), given_blocks):
        offered.update(before.columns[0].tag.tolist())
        went_on.update(tag for column in after.columns for tag in column.tag.tolist())
    assert went_on == offered


@pytest.mark.parametrize("name", GATES)
def test_an_empty_block_stays_empty(name: str) -> None:
    assert len(GATES[name]().pass_on(ReadingBlock())) == 0


@pytest.mark.parametrize("name", GATES)
def test_texts_go_on_as_they_are(name: str) -> None:
    column = Column(
        Kind.TEXT,
        np.array([0, 0], np.uint32),
        np.array([1, 2], np.int64),
        np.array([0, 0], np.uint32),
        np.zeros(2, np.uint8),
    )
    block = ReadingBlock((column,), ("idle",))
    assert GATES[name]().pass_on(block).is_identical(block)
