"""The table of last values: every Tag by name, the newest row of a block, values without one shown as none."""

import numpy as np

from edge_agent.watch.last_values import LastValues
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable

TABLE = TagTable(
    (DeviceInfo("pump-1"), DeviceInfo("oven-1")),
    (
        TagInfo(0, "flow", Kind.FLOAT, unit="l/min"),
        TagInfo(0, "open", Kind.BOOL),
        TagInfo(1, "energy", Kind.UINT),
        TagInfo(1, "state", Kind.TEXT),
    ),
)


def column(kind: Kind, tag: list[int], value: list[float], quality: list[int] | None = None) -> Column:
    n = len(tag)
    times = np.arange(n, dtype=np.int64) + 1_700_000_000_000_000
    return Column(
        kind, np.array(tag, np.uint32), times, np.array(value, kind.dtype), np.array(quality or [0] * n, np.uint8)
    )


def test_a_tag_that_was_never_read_says_so() -> None:
    row = LastValues(TABLE).rows()[0]
    assert (row.device, row.tag, row.unit, row.value, row.quality, row.at) == (
        "pump-1", "flow", "l/min", None, "not read yet", "",
    )  # fmt: skip


def test_the_newest_row_of_each_tag_is_kept_by_kind() -> None:
    values = LastValues(TABLE)
    columns = (
        column(Kind.FLOAT, [0, 0], [1.5, 2.5]),
        column(Kind.UINT, [2], [2**63]),
        column(Kind.BOOL, [1], [1]),
        column(Kind.TEXT, [3, 3], [1, 0]),
    )
    values.take(ReadingBlock(columns, ("idle", "heating")))
    assert [row.value for row in values.rows()] == [2.5, True, 2**63, "idle"]
    assert values.rows()[0].at == "2023-11-14T22:13:20.000+00:00"


def test_a_reading_without_a_value_shows_none_and_why() -> None:
    values = LastValues(TABLE)
    values.take(ReadingBlock((column(Kind.FLOAT, [0], [np.nan], [Quality.DEVICE_LOST]),)))
    assert (values.rows()[0].value, values.rows()[0].quality) == (None, "device lost")


def test_what_json_cannot_hold_is_shown_as_a_word() -> None:
    values = LastValues(TABLE)
    values.take(ReadingBlock((column(Kind.FLOAT, [0], [np.inf], [Quality.NOT_A_NUMBER]),)))
    assert values.rows()[0].value == "inf"


def test_an_unknown_reason_shows_its_severity() -> None:
    values = LastValues(TABLE)
    values.take(ReadingBlock((column(Kind.FLOAT, [0], [1.0], [0xBF]),)))
    assert values.rows()[0].quality == "bad"
