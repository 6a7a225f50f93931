"""What the quality gate makes of values that cannot be true; every value is carried on."""

import numpy as np

from edge_agent.gates.quality import QualityGate, QualityRules
from protocols.reading import Column, Kind, Quality, ReadingBlock


def gate(*, low: float = -np.inf, high: float = np.inf, flat_line_s: float = 0.0) -> QualityGate:
    return QualityGate(QualityRules(np.array([low]), np.array([high]), np.array([int(flat_line_s * 1e6)], np.int64)))


def judged(
    under_test: QualityGate,
    values: list[float],
    *,
    kind: Kind = Kind.FLOAT,
    start_s: int = 0,
    quality: Quality = Quality.GOOD,
) -> list[Quality]:
    n = len(values)
    times = (np.arange(n, dtype=np.int64) + start_s) * 1_000_000
    offered = Column(kind, np.zeros(n, np.uint32), times, np.array(values, kind.dtype), np.full(n, quality, np.uint8))
    column = under_test.pass_on(ReadingBlock((offered,))).columns[0]
    assert column.value.tobytes() == offered.value.tobytes()
    return [Quality(code) for code in column.quality.tolist()]


def test_values_outside_their_range_are_bad() -> None:
    out, good = Quality.OUT_OF_RANGE, Quality.GOOD
    assert judged(gate(low=0, high=10), [-0.1, 0.0, 10.0, 10.1]) == [out, good, good, out]


def test_a_range_holds_for_whole_numbers_too() -> None:
    assert judged(gate(low=0, high=10), [5, 11], kind=Kind.UINT) == [Quality.GOOD, Quality.OUT_OF_RANGE]


def test_nan_and_infinity_are_not_numbers_whatever_the_range() -> None:
    assert judged(gate(low=0, high=10), [np.nan, np.inf, -np.inf]) == [Quality.NOT_A_NUMBER] * 3
    assert judged(gate(), [np.nan]) == [Quality.NOT_A_NUMBER]


def test_a_reading_that_is_bad_already_keeps_its_reason() -> None:
    assert judged(gate(low=5, high=10), [0.0, np.nan], quality=Quality.DEVICE_LOST) == [Quality.DEVICE_LOST] * 2


def test_an_uncertain_reading_can_become_bad() -> None:
    assert judged(gate(high=10), [11.0], quality=Quality.CLOCK_UNSET) == [Quality.OUT_OF_RANGE]


def test_a_value_that_does_not_move_for_too_long_is_a_flat_line() -> None:
    under_test = gate(flat_line_s=2)
    stages = [judged(under_test, [7.0], start_s=second)[0] for second in range(5)]
    assert stages == [Quality.GOOD] * 3 + [Quality.FLAT_LINE] * 2
    assert judged(under_test, [7.5], start_s=5) == [Quality.GOOD]
