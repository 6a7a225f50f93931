"""The last Reading of every Tag, readable on the gateway without a network."""

from datetime import UTC, datetime

import msgspec
import numpy as np

from protocols.reading import SEVERITY_MASK, Kind, Quality, ReadingBlock
from protocols.tag import TagTable

Value = float | int | bool | str | None


class LastValue(msgspec.Struct, frozen=True):
    """One Tag as it was last read; at: RFC 3339 in UTC, empty before the first Reading; value: None without one."""

    device: str
    tag: str
    unit: str
    value: Value
    quality: str
    at: str


class LastValues:
    """One row per Tag, updated a block at a time; quality, time and value live in arrays by tag index."""

    def __init__(self, table: TagTable) -> None:
        self._table = table
        n_tags = len(table.tags)
        self._value = {kind: np.zeros(n_tags, kind.dtype) for kind in Kind if kind is not Kind.TEXT}
        self._texts = [""] * n_tags
        self._kind = np.zeros(n_tags, np.uint8)
        self._time_us = np.zeros(n_tags, np.int64)
        self._quality = np.zeros(n_tags, np.uint8)

    def take(self, block: ReadingBlock) -> None:
        """Remember the last row of each Tag in the block."""
        for column in block.columns:
            if column.kind is Kind.TEXT:
                for tag, text in zip(column.tag.tolist(), column.value.tolist(), strict=True):
                    self._texts[tag] = block.texts[text]
            else:
                self._value[column.kind][column.tag] = column.value
            self._kind[column.tag] = column.kind
            self._time_us[column.tag] = column.time_us
            self._quality[column.tag] = column.quality

    def rows(self) -> tuple[LastValue, ...]:
        """Return every Tag, read or not, in the order of the table."""
        return tuple(self._row(index) for index in range(len(self._table.tags)))

    def _row(self, index: int) -> LastValue:
        tag = self._table.tags[index]
        device = self._table.devices[tag.device].id
        time_us = int(self._time_us[index])
        if time_us == 0:
            return LastValue(device, tag.name, tag.unit, None, "not read yet", "")
        quality = known(int(self._quality[index]))
        at = datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds")
        value = self._shown(index) if quality.has_value else None
        return LastValue(device, tag.name, tag.unit, value, quality.text, at)

    def _shown(self, index: int) -> Value:
        kind = Kind(int(self._kind[index]))
        if kind is Kind.TEXT:
            return self._texts[index]
        value = self._value[kind][index].item()
        if kind is Kind.BOOL:
            return bool(value)
        return value if np.isfinite(value) else str(value)


def known(code: int) -> Quality:
    """Return the Quality of a code, or that of its severity where the reason is not one of ours."""
    return Quality(code) if code in set(Quality) else Quality(code & SEVERITY_MASK)
