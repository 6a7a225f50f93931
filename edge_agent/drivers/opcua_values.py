"""From what an OPC UA server says to a ReadingBlock: types checked, status codes kept, times only where sane. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from edge_agent.config.devices import OpcuaTag
from protocols.columns import MAX_TEXT_LENGTH
from protocols.nodes import to_quality
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.scaling import ratio

OLDEST_US = 3600 * 1_000_000
NEWEST_US = 2 * 1_000_000
"""A source time is taken where it lies at most so far before and after the arrival."""
Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Said:
    """One value as a server said it; status: OPC UA's code; source: when it holds, by the server's word."""

    tag: int
    value: object
    status: int = 0
    source: datetime | None = None


def to_block(said: Sequence[Said], tags: Mapping[int, OpcuaTag], arrived_us: int) -> ReadingBlock:
    """Return one row for each value, in their order; what does not fit its Tag has a bad quality and no value."""
    by_kind: dict[Kind, list[Said]] = {}
    for each in said:
        by_kind.setdefault(tags[each.tag].kind, []).append(each)
    texts: dict[str, int] = {}
    columns = [_column(kind, by_kind[kind], tags, arrived_us, texts) for kind in sorted(by_kind)]
    return ReadingBlock(tuple(columns), tuple(texts))


def _column(
    kind: Kind, said: list[Said], tags: Mapping[int, OpcuaTag], arrived_us: int, texts: dict[str, int]
) -> Column:
    values, qualities = zip(*(_judge(each, tags[each.tag]) for each in said), strict=True)
    if kind is Kind.TEXT:
        values = tuple(texts.setdefault(str(value), len(texts)) for value in values)
    return Column(
        kind,
        np.array([each.tag for each in said], np.uint32),
        np.array([_time_us(each.source, arrived_us) for each in said], np.int64),
        np.array(values, kind.dtype),
        np.array(qualities, np.uint8),
    )


def _judge(said: Said, tag: OpcuaTag) -> tuple[Value, Quality]:
    """Return the value as the Tag wants it, and how far to trust it."""
    nothing: Value = "" if tag.kind is Kind.TEXT else float("nan") if tag.kind is Kind.FLOAT else 0
    quality = to_quality(said.status)
    if said.value is None:
        return nothing, quality if quality.is_bad else Quality.READ_ERROR
    if not _fits(said.value, tag.type.kind):
        return nothing, quality if quality.is_bad and not quality.has_value else Quality.CONFIGURATION_ERROR
    if isinstance(said.value, float) and not np.isfinite(said.value) and not quality.is_bad:
        quality = Quality.NOT_A_NUMBER
    if tag.is_scaled and isinstance(said.value, int | float):
        return ratio(tag.scale, tag.offset).value(said.value), quality
    return said.value if isinstance(said.value, bool | int | float | str) else nothing, quality


def _fits(value: object, kind: Kind) -> bool:
    match kind:
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.TEXT:
            return isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH
        case Kind.FLOAT:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.INT | Kind.UINT:
            limits = np.iinfo(kind.dtype)
            return isinstance(value, int) and not isinstance(value, bool) and limits.min <= value <= limits.max


def _time_us(source: datetime | None, arrived_us: int) -> int:
    if source is None:
        return arrived_us
    aware = source if source.tzinfo is not None else source.replace(tzinfo=UTC)
    source_us = round((aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
    return source_us if arrived_us - OLDEST_US <= source_us <= arrived_us + NEWEST_US else arrived_us
