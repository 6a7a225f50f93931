"""What an OPC UA server says, judged value by value."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.devices import OpcuaTag
from edge_agent.drivers.opcua_values import Said, to_block
from protocols.columns import MAX_TEXT_LENGTH
from protocols.nodes import to_quality
from protocols.reading import Quality
from protocols.tag import DataType
from tests.support.drivers import qualities, values

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1e6)


def tag(kind: DataType, scale: float = 1.0) -> OpcuaTag:
    return OpcuaTag(name="x", node="i=1", type=kind, scale=scale)


@pytest.mark.parametrize(
    ("kind", "value", "quality"),
    [
        (DataType.FLOAT64, 1.5, Quality.GOOD),
        (DataType.FLOAT64, 3, Quality.GOOD),
        (DataType.FLOAT64, True, Quality.CONFIGURATION_ERROR),
        (DataType.FLOAT64, "1.5", Quality.CONFIGURATION_ERROR),
        (DataType.FLOAT64, [1.5], Quality.CONFIGURATION_ERROR),
        (DataType.FLOAT64, float("nan"), Quality.NOT_A_NUMBER),
        (DataType.FLOAT64, None, Quality.READ_ERROR),
        (DataType.INT32, 1.5, Quality.CONFIGURATION_ERROR),
        (DataType.INT64, 2**63, Quality.CONFIGURATION_ERROR),
        (DataType.UINT64, -1, Quality.CONFIGURATION_ERROR),
        (DataType.BOOL, 1, Quality.CONFIGURATION_ERROR),
        (DataType.TEXT, b"bytes", Quality.CONFIGURATION_ERROR),
        (DataType.TEXT, "x" * (MAX_TEXT_LENGTH + 1), Quality.CONFIGURATION_ERROR),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_bad(kind: DataType, value: object, quality: Quality) -> None:
    block = to_block([Said(4, value)], {4: tag(kind)}, NOW_US)
    assert qualities(block) == {4: quality}
    assert values(block)[4] is None or quality.has_value


def test_a_scaled_value_is_a_float() -> None:
    assert values(to_block([Said(0, 21)], {0: tag(DataType.INT16, 0.5)}, NOW_US)) == {0: 10.5}


@pytest.mark.parametrize(
    ("offset_s", "is_taken"), [(-60, True), (1, True), (-7200, False), (60, False), (-12_000_000_000, False)]
)
def test_a_source_time_is_taken_only_where_it_is_sane(offset_s: int, is_taken: bool) -> None:  # noqa: FBT001 - a column of the table
    block = to_block([Said(0, 1.0, 0, NOW + timedelta(seconds=offset_s))], {0: tag(DataType.FLOAT64)}, NOW_US)
    assert block.columns[0].time_us[0] == NOW_US + (offset_s * 1_000_000 if is_taken else 0)


def test_a_source_time_without_a_zone_is_utc() -> None:
    block = to_block([Said(0, 1.0, 0, NOW.replace(tzinfo=None))], {0: tag(DataType.FLOAT64)}, 0 + NOW_US + 5)
    assert block.columns[0].time_us[0] == NOW_US


@given(st.integers(0, 2**32 - 1), st.sampled_from(list(DataType)), st.none() | st.floats() | st.integers() | st.text())
def test_whatever_is_said_is_one_row_of_no_better_severity_than_its_status(
    status: int, kind: DataType, value: object
) -> None:
    block = to_block([Said(0, value, status)], {0: tag(kind)}, NOW_US)
    assert len(block) == 1
    assert qualities(block)[0] & 0xC0 >= to_quality(status) & 0xC0
