"""The JSON form that any device can send, and that the agent sends to brokers without a Lineside behind them.

    {"ts": 1700000000000, "values": {"flow": 25.3, "mode": "auto"}, "quality": {"flow": "out of range"}}

or a list of such messages. `ts`: milliseconds since the epoch, may have a fraction, missing means on arrival; `quality`
names only what is not good, as users read it; null stands for a value that could not be read, and needs a quality that
says so. A number is FLOAT whether it is written 25 or 25.5, since a series must not change its kind from one message
to the next; only a whole number beyond 2^53 becomes INT or UINT, because as a float it would not be the same number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import msgspec
import numpy as np

from protocols.batch import MAX_READINGS
from protocols.columns import MAX_TEXT_LENGTH
from protocols.errors import InvalidTelemetry
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import TagTable

Value = float | int | bool | str | None

MAX_TELEMETRY_BYTES = 1024 * 1024
MAX_MESSAGES = 10_000
MAX_NAME_LENGTH = 128
EARLIEST_US = 946_684_800_000_000
"""The year 2000: what is before was sent by a device that does not know the time, or in another unit."""
LATEST_US = 7_258_118_400_000_000
"""The year 2200."""
_QUALITIES: Mapping[str, Quality] = {quality.text: quality for quality in Quality}
_EXACT_IN_FLOAT = 1 << 53


@dataclass(frozen=True, slots=True)
class Message:
    """What a device said at one time; quality: of those names that are not good."""

    time_us: int
    values: Mapping[str, Value]
    quality: Mapping[str, Quality] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The messages of one payload that are valid, and what is wrong with each of the others."""

    messages: tuple[Message, ...]
    errors: tuple[InvalidTelemetry, ...] = ()


def encode(block: ReadingBlock, table: TagTable, device: str) -> list[bytes]:
    """Return the readings of this device, one payload for each time that occurs, in order of time."""
    wanted = np.array([table.devices[tag.device].id == device for tag in table.tags], dtype=np.bool_)
    messages: dict[int, tuple[dict[str, Value], dict[str, str]]] = {}
    for column in block.columns:
        mine = column.take(wanted[column.tag])
        for tag, time_us, value, code in zip(
            mine.tag.tolist(), mine.time_us.tolist(), mine.value.tolist(), mine.quality.tolist(), strict=True
        ):
            values, reasons = messages.setdefault(time_us, ({}, {}))
            name, quality = table.tags[tag].name, Quality(code)
            values[name] = _shown(column.kind, value, block.texts) if quality.has_value else None
            if values[name] is None and quality.has_value:
                quality = Quality.NOT_A_NUMBER
            if quality != Quality.GOOD:
                reasons[name] = quality.text
    return [_payload(time_us, *messages[time_us]) for time_us in sorted(messages)]


def decode(payload: bytes, *, arrived_us: int) -> Telemetry:
    """Return the messages of a payload; raise InvalidTelemetry where it is no JSON message or list of them at all.

    A message of a list that is not valid is among the errors and does not touch the others.
    """
    if len(payload) > MAX_TELEMETRY_BYTES:
        raise InvalidTelemetry(f"a payload of {len(payload)} bytes is over {MAX_TELEMETRY_BYTES}")
    is_list = payload.lstrip()[:1] == b"["
    try:
        parts = msgspec.json.decode(payload, type=list[msgspec.Raw]) if is_list else [msgspec.Raw(payload)]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidTelemetry(f"not JSON: {error}") from error
    if len(parts) > MAX_MESSAGES:
        raise InvalidTelemetry(f"{len(parts)} messages in one payload are over {MAX_MESSAGES}")
    messages, errors = _read_all(parts, arrived_us, "[{}]" if is_list else "")
    if not is_list and errors:
        raise errors[0]
    readings = sum(len(message.values) for message in messages)
    if readings > MAX_READINGS:
        raise InvalidTelemetry(f"{readings} values in one payload are over {MAX_READINGS}")
    return Telemetry(tuple(messages), tuple(errors))


def to_block(messages: Sequence[Message]) -> tuple[tuple[str, ...], ReadingBlock]:
    """Return the names that occur, in order of appearance, and all values; a tag index is an index into the names."""
    names: dict[str, int] = {}
    texts: dict[str, int] = {}
    rows: dict[Kind, list[tuple[int, int, Any, int]]] = {}
    for message in messages:
        for name, value in message.values.items():
            kind, number = _in_column(value, texts)
            quality = message.quality.get(name, Quality.GOOD)
            rows.setdefault(kind, []).append((names.setdefault(name, len(names)), message.time_us, number, quality))
    columns = tuple(_column(kind, rows[kind]) for kind in Kind if kind in rows)
    return tuple(names), ReadingBlock(columns, tuple(texts))


def _column(kind: Kind, rows: list[tuple[int, int, Any, int]]) -> Column:
    tag, time_us, value, quality = zip(*rows, strict=True)
    return Column(
        kind,
        np.array(tag, dtype=np.uint32),
        np.array(time_us, dtype=np.int64),
        np.array(value, dtype=kind.dtype),
        np.array(quality, dtype=np.uint8),
    )


def _in_column(value: Value, texts: dict[str, int]) -> tuple[Kind, float | int]:
    match value:
        case None:
            return Kind.FLOAT, nan
        case bool():
            return Kind.BOOL, int(value)
        case str():
            return Kind.TEXT, texts.setdefault(value, len(texts))
        case int() if abs(value) > _EXACT_IN_FLOAT:
            return (Kind.UINT if value >= 1 << 63 else Kind.INT), value
        case int() | float():
            return Kind.FLOAT, float(value)


def _shown(kind: Kind, value: float, texts: Sequence[str]) -> Value:
    match kind:
        case Kind.TEXT:
            return texts[int(value)]
        case Kind.BOOL:
            return bool(value)
        case Kind.FLOAT:
            return value if isfinite(value) else None
        case Kind.INT | Kind.UINT:
            return value


def _payload(time_us: int, values: dict[str, Value], reasons: dict[str, str]) -> bytes:
    ts = time_us // 1000 if time_us % 1000 == 0 else time_us / 1000
    return msgspec.json.encode({"ts": ts, "values": values} | ({"quality": reasons} if reasons else {}))


def _read_all(
    parts: Sequence[msgspec.Raw], arrived_us: int, place: str
) -> tuple[list[Message], list[InvalidTelemetry]]:
    messages, errors = [], []
    for index, part in enumerate(parts):
        at = place.format(index)
        try:
            messages.append(_read(part, arrived_us, at))
        except InvalidTelemetry as error:
            errors.append(error)
    return messages, errors


def _read(part: msgspec.Raw, arrived_us: int, at: str) -> Message:
    try:
        found = msgspec.json.decode(part)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidTelemetry(f"{at or 'payload'}: {error}") from error
    if not isinstance(found, dict):
        raise InvalidTelemetry(f"{at or 'payload'}: expected an object, not {_named(found)}")
    unknown = sorted(found.keys() - {"ts", "values", "quality"})
    if unknown:
        raise InvalidTelemetry(f"{_field(at, unknown[0])}: unknown, a message has ts, values and quality")
    quality = _read_quality(found.get("quality", {}), _field(at, "quality"))
    return Message(
        time_us=_read_time(found["ts"], _field(at, "ts")) if "ts" in found else arrived_us,
        values=_read_values(found.get("values"), quality, at),
        quality=quality,
    )


def _read_time(ts: object, at: str) -> int:
    if isinstance(ts, bool) or not isinstance(ts, int | float):
        raise InvalidTelemetry(f"{at}: expected milliseconds since 1970 as a number, not {_named(ts)}")
    if not EARLIEST_US <= ts * 1000 < LATEST_US:
        raise InvalidTelemetry(f"{at}: {ts} ms since 1970 is not between the years 2000 and 2200")
    return round(ts * 1000)


def _read_quality(found: object, at: str) -> dict[str, Quality]:
    if not isinstance(found, dict):
        raise InvalidTelemetry(f"{at}: expected an object of names and reasons, not {_named(found)}")
    for name, reason in found.items():
        if not isinstance(reason, str) or reason not in _QUALITIES:
            shown = repr(reason[:80]) if isinstance(reason, str) else _named(reason)
            raise InvalidTelemetry(f"{_field(at, name)}: expected one of {', '.join(_QUALITIES)}; not {shown}")
    return {name: _QUALITIES[reason] for name, reason in found.items()}


def _read_values(found: object, quality: Mapping[str, Quality], at: str) -> dict[str, Value]:
    place = _field(at, "values")
    if not isinstance(found, dict) or not found:
        wrong = "an empty one" if found == {} else _named(found)
        raise InvalidTelemetry(f"{place}: expected an object of names and values, not {wrong}")
    for name in quality.keys() - found.keys():
        raise InvalidTelemetry(f"{_field(_field(at, 'quality'), name)}: there is no value of that name")
    for name, value in found.items():
        _check_value(name, value, quality.get(name, Quality.GOOD), place)
    return found


def _check_value(name: str, value: object, quality: Quality, place: str) -> None:
    at = _field(place, name)
    if not name or len(name) > MAX_NAME_LENGTH:
        raise InvalidTelemetry(f"{at}: a name has 1 to {MAX_NAME_LENGTH} characters")
    match value:
        case None if quality.is_bad:
            return
        case None:
            raise InvalidTelemetry(f"{at}: null needs a bad quality that says why there is no value")
        case str() if len(value) > MAX_TEXT_LENGTH:
            raise InvalidTelemetry(f"{at}: a text of {len(value)} characters is over {MAX_TEXT_LENGTH}")
        case int() if not -(1 << 63) <= value < 1 << 64:
            raise InvalidTelemetry(f"{at}: a whole number of more than 64 bits")
        case bool() | int() | float() | str():
            return
        case _:
            raise InvalidTelemetry(f"{at}: expected number, bool or text, not {_named(value)}")


def _field(at: str, name: str) -> str:
    return f"{at}.{name[:MAX_NAME_LENGTH]}" if at else name[:MAX_NAME_LENGTH]


def _named(value: object) -> str:
    """Return how JSON calls what this is."""
    names = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)
