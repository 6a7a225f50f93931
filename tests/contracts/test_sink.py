"""What every Sink owes: it takes any block at once, never fails, and each row is passed on or counted."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.delivery.pending import Bounds
from edge_agent.delivery.sealer import Sealer
from edge_agent.gates.deadband import DeadbandGate, DeadbandRules
from edge_agent.gates.line import GateLine
from edge_agent.gates.quality import QualityGate, QualityRules
from edge_agent.ports import Sink
from protocols.reading import Column, ReadingBlock
from tests.edge_agent.delivery.test_sealer import Clocks, Desk
from tests.support.batches import tag_table
from tests.support.readings import blocks

TAGS = 16
Counted = tuple[Sink, Callable[[], int]]
"""A sink, and how many rows it says that it was given."""


def a_sealer() -> Counted:
    bounds = Bounds(readings=50)
    sealer = Sealer(buffer=Desk(), clock=Clocks(), table=tag_table(TAGS), bounds=bounds)

    def counted() -> int:
        figures = sealer.figures
        assert figures.waiting <= bounds.readings
        return figures.sealed + figures.overflowed + figures.refused + figures.waiting

    return sealer, counted


def a_line_of_gates() -> Counted:
    passed: list[ReadingBlock] = []
    quality = QualityGate(QualityRules(np.full(TAGS, -5.0), np.full(TAGS, 5.0), np.full(TAGS, 1_000_000, np.int64)))
    deadband = DeadbandGate(DeadbandRules(np.full(TAGS, 1.0), np.zeros(TAGS), np.zeros(TAGS, np.int64)))
    line = GateLine(quality, (), deadband, passed.append)
    return line, lambda: deadband.hidden + sum(map(len, passed))


def of_known_tags(block: ReadingBlock) -> ReadingBlock:
    columns = (Column(c.kind, c.tag % np.uint32(TAGS), c.time_us, c.value, c.quality) for c in block.columns)
    return ReadingBlock(tuple(columns), block.texts)


SINKS: dict[str, Callable[[], Counted]] = {"sealer": a_sealer, "line of gates": a_line_of_gates}


@pytest.mark.parametrize("name", SINKS)
@given(given_blocks=st.lists(blocks(max_size=10).map(of_known_tags), max_size=4))
def test_every_row_given_is_passed_on_or_counted(name: str, given_blocks: list[ReadingBlock]) -> None:
    sink, counted = SINKS[name]()
    for block in given_blocks:
        sink.accept(block)
    assert counted() == sum(map(len, given_blocks))


@pytest.mark.parametrize("name", SINKS)
def test_an_empty_block_is_nothing(name: str) -> None:
    sink, counted = SINKS[name]()
    sink.accept(ReadingBlock())
    assert counted() == 0
