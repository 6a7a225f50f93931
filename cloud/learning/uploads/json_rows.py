"""JSON: a list of objects, or an object a line; each object is a row, read one after the other."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from cloud.learning.sheet import Sheet
from cloud.learning.uploads.bounds import Bounds, Place, check_names
from cloud.learning.uploads.cells import Cell, ColumnBuilder

_PIECE = 4096
_SPACE = re.compile(r"[ \t\r\n]*")
Row = dict[str, Any]


def read_json(file: BinaryIO, bounds: Bounds) -> Sheet:
    """Return the rows of a JSON file; raise Malformed that names row and column, or TooLarge."""
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = f"byte 0x{error.object[error.start]:02x} at {error.start:,} is not UTF-8"
        raise Place().wrong(told, code="WRONG_ENCODING") from error
    builders: dict[str, ColumnBuilder] = {}
    rows = 0
    objects = _rows(text)
    while piece := list(islice(objects, _PIECE)):
        _learn_names(piece, rows, builders, bounds)
        rows += len(piece)
        bounds.check_rows(rows, len(builders))
        for name, builder in builders.items():
            builder.add([_cell(row.get(name), rows - len(piece) + index + 1, name) for index, row in enumerate(piece)])
    if not rows:
        raise Place().wrong("holds no rows", code="NO_ROWS")
    return Sheet(tuple(builder.column() for builder in builders.values()))


def _learn_names(piece: list[Row], rows: int, builders: dict[str, ColumnBuilder], bounds: Bounds) -> None:
    """Begin a column for each name that is new; it is missing in all rows before."""
    new = dict.fromkeys(name for row in piece for name in row if name not in builders)
    if not new:
        return
    bounds.check_columns(len(builders) + len(new))
    check_names([*builders, *new])
    for name in new:
        builders[name] = ColumnBuilder(name, first_row=1, as_text=name in bounds.texts)
        builders[name].add([None] * rows)


def _cell(value: object, row: int, name: str) -> Cell:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _finite(value, row, name)
        case str():
            return value
        case _:
            kind = "an object" if isinstance(value, dict) else "a list"
            raise Place(row, name).wrong(f"holds {kind}; one value is needed", code="MIXED_TYPES")


def _finite(value: float, row: int, name: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise Place(row, name).wrong("is too large for a number", code="NOT_FINITE") from error


def _rows(text: str) -> Iterator[Row]:
    """Yield the objects of a list, or of lines."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    at = _skip(text, 0)
    is_list = text.startswith("[", at)
    at = _skip(text, at + is_list)
    number = 0
    while at < len(text) and not (is_list and text[at] == "]"):
        number += 1
        row, at = _decode(decoder, text, at, number)
        if not isinstance(row, dict):
            raise Place(number).wrong("is no object; a list of objects is needed, or an object a line")
        yield row
        at = _following(text, _skip(text, at), is_list=is_list, row=number)
    if is_list and at >= len(text):
        raise Place().wrong("ends within its list")
    if is_list and _skip(text, at + 1) != len(text):
        raise Place().wrong("holds something after its list")


def _following(text: str, at: int, *, is_list: bool, row: int) -> int:
    """Return where the next object begins, or where the list ends."""
    if not is_list or at >= len(text) or text[at] == "]":
        return at
    if text[at] != ",":
        raise Place(row).wrong(f"is followed by {text[at]!r}, a comma is needed")
    return _skip(text, at + 1)


def _decode(decoder: json.JSONDecoder, text: str, at: int, row: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise Place(row).wrong(f"not JSON: {error.msg} at character {error.pos:,}") from error
    except _Twice as error:
        raise Place(row, error.name).wrong("stands twice in one object", code="DUPLICATE_COLUMN") from error
    except RecursionError as error:
        raise Place(row).wrong("is nested too deep", code="MIXED_TYPES") from error
    except ValueError as error:
        raise Place(row).wrong(f"not JSON: {error}") from error


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _Twice(twice)
    return row


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at
