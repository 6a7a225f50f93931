"""Judges what was read: NaN, out of range and flat lines get a bad Quality; the value is carried on all the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.reading import SEVERITY_MASK, Column, Kind, Quality, ReadingBlock


@dataclass(frozen=True, slots=True)
class QualityRules:
    """What a value may be, by tag index; each of shape (n_tags,).

    low, high: -inf and inf where there is no range; flat_line_us: longest time without a change, 0 where any is fine.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flat_line_us: NDArray[np.int64]


class QualityGate:
    """Lowers the Quality of readings that were good so far; never raises it, never drops a row."""

    def __init__(self, rules: QualityRules) -> None:
        self._rules = rules
        self._has_range = bool(np.isfinite(rules.low).any() or np.isfinite(rules.high).any())
        self._has_flat = bool((rules.flat_line_us > 0).any())
        n_tags = len(rules.low)
        self._last_value = np.full(n_tags, np.nan)
        self._changed_us = np.zeros(n_tags, np.int64)

    def pass_on(self, block: ReadingBlock) -> ReadingBlock:
        """Return the block with the qualities that its values deserve."""
        return ReadingBlock(tuple(self._judged(column) for column in block.columns), block.texts)

    def _judged(self, column: Column) -> Column:
        has_rules = self._has_flat or self._has_range or column.kind is Kind.FLOAT
        if column.kind is Kind.TEXT or not len(column) or not has_rules:
            return column
        quality = column.quality.copy()
        is_unjudged = quality & SEVERITY_MASK != Quality.BAD
        values = column.value.astype(np.float64, copy=False)
        if self._has_flat:
            quality[is_unjudged & self._flat(column.tag, column.time_us, values)] = Quality.FLAT_LINE
        if self._has_range:
            is_outside = (values < self._rules.low[column.tag]) | (values > self._rules.high[column.tag])
            quality[is_unjudged & is_outside] = Quality.OUT_OF_RANGE
        if column.kind is Kind.FLOAT:
            quality[is_unjudged & ~np.isfinite(values)] = Quality.NOT_A_NUMBER
        return Column(column.kind, column.tag, column.time_us, column.value, quality)

    def _flat(
        self, tag: NDArray[np.uint32], time_us: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Return which rows, shape (n,), have not changed for too long; of rows of one Tag the last counts."""
        is_new = self._last_value[tag] != values
        self._changed_us[tag[is_new]] = time_us[is_new]
        self._last_value[tag] = values
        limit = self._rules.flat_line_us[tag]
        is_flat: NDArray[np.bool_] = (limit > 0) & ~is_new & (time_us - self._changed_us[tag] > limit)
        return is_flat
