"""Times of gateways whose clock was not set, moved by what their hello told; and times that lie ahead; pure."""

import numpy as np

from cloud.ports import Arrival
from protocols.codec import seal_data
from protocols.reading import Column, Quality, ReadingBlock

FUTURE_US = 24 * 3600 * 1_000_000
"""A reading further ahead than this is kept, and counted as from the future."""


def count_future(block: ReadingBlock, now_us: int) -> int:
    """Return how many readings lie more than a day ahead of our clock."""
    span = block.time_span_us()
    if span is None or span[1] <= now_us + FUTURE_US:
        return 0
    return sum(int(np.count_nonzero(column.time_us > now_us + FUTURE_US)) for column in block.columns)


def with_clock_set(arrival: Arrival, skew_us: int, *, segment: int) -> Arrival:
    """Return the arrival with the readings of quality `clock unset` moved by what their clock was behind."""
    columns = tuple(_moved(column, skew_us) for column in arrival.block.columns)
    if columns == arrival.block.columns:
        return arrival
    block = ReadingBlock(columns, arrival.block.texts)
    body = seal_data(block, segment=segment, table=arrival.table.hash).body if arrival.body else b""
    return Arrival(arrival.source, arrival.table, block, arrival.key, body, arrival.received_us)


def _moved(column: Column, skew_us: int) -> Column:
    unset = column.quality == Quality.CLOCK_UNSET
    if not unset.any():
        return column
    time_us = np.where(unset, np.maximum(column.time_us + skew_us, 0), column.time_us)
    return Column(column.kind, column.tag, time_us, column.value, column.quality)
