"""CSV: delimiter and decimal comma are found out, the header is asked for, rows are read piece by piece."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from cloud.learning.sheet import Sheet
from cloud.learning.uploads.bounds import Bounds, Place, check_names
from cloud.learning.uploads.cells import ColumnBuilder, to_number, to_time

_DELIMITERS = (",", ";", "\t", "|")
_HEAD_BYTES = 1 << 16
_LINES_SEEN = 50
_PIECE = 4096
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*")


def read_csv(file: BinaryIO, bounds: Bounds) -> Sheet:
    """Return the rows of a CSV file; raise Malformed that names row and column, or TooLarge."""
    head = file.read(_HEAD_BYTES)
    encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in head:
        raise Place().wrong("holds NUL bytes: not a text file")
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        return _read(text, _sample(head, encoding), bounds)
    except UnicodeDecodeError as error:
        raise _undecodable(file, encoding, error) from error
    finally:
        text.detach()


def _read(text: io.TextIOWrapper, sample: str, bounds: Bounds) -> Sheet:
    delimiter = _delimiter(sample)
    bounds.check_columns(sample.partition("\n")[0].count(delimiter))
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        names = _header(next(reader, []), bounds)
        is_comma = delimiter != "," and _has_decimal_commas(sample, delimiter)
        builders = [
            ColumnBuilder(name, first_row=2, as_text=name in bounds.texts, decimal_comma=is_comma) for name in names
        ]
        rows = 0
        for piece in _pieces(reader, len(names)):
            rows += len(piece)
            bounds.check_rows(rows, len(names))
            for builder, cells in zip(builders, zip(*piece, strict=True), strict=True):
                builder.add(cells)
    except csv.Error as error:
        raise Place(reader.line_num).wrong(f"not CSV: {error}") from error
    if not rows:
        raise Place().wrong("has a header and no rows", code="NO_ROWS")
    return Sheet(tuple(builder.column() for builder in builders))


def _header(cells: list[str], bounds: Bounds) -> list[str]:
    if not any(cell.strip() for cell in cells):
        raise Place().wrong(
            "is empty" if not cells else "begins with an empty row; the first one must name the columns"
        )
    bounds.check_columns(len(cells))
    values = sum(to_number(cell) is not None or to_time(cell) is not None for cell in cells)
    if 2 * values > len(cells):
        raise Place(1).wrong("holds values; the first row must name the columns", code="NO_HEADER")
    return check_names(cells, row=1)


def _pieces(reader: Iterator[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Yield rows, many at a time; empty lines are left out at the end only."""
    first, is_over = 2, False
    while piece := list(islice(reader, _PIECE)):
        filled = len(piece)
        while filled and not piece[filled - 1]:
            filled -= 1
        if is_over and filled:
            raise Place(first).wrong("follows an empty row", code="RAGGED_ROWS")
        is_over = is_over or filled < len(piece)
        for number, row in enumerate(piece[:filled], start=first):
            if len(row) != width:
                told = f"has {len(row)} cells, the header has {width}"
                raise Place(number).wrong(told, code="RAGGED_ROWS")
        first += len(piece)
        if filled:
            yield piece[:filled]


def _sample(head: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)


def _delimiter(sample: str) -> str:
    """Return the delimiter that cuts most of the first lines into as many cells as the header, and into the most."""
    lines = sample.splitlines()[:_LINES_SEEN]
    if len(sample) >= _HEAD_BYTES // 2 and len(lines) > 1:
        lines = lines[:-1]

    def merit(delimiter: str) -> tuple[bool, float, int]:
        counts = [_cells(line, delimiter) for line in lines if line]
        first = counts[0] if counts else 0
        return first > 1, counts.count(first) / max(len(counts), 1), first

    return max(_DELIMITERS, key=merit)


def _cells(line: str, delimiter: str) -> int:
    return len(next(csv.reader([line], delimiter=delimiter), []))


def _has_decimal_commas(sample: str, delimiter: str) -> bool:
    cells = [cell for line in sample.splitlines()[1:_LINES_SEEN] for cell in line.split(delimiter)]
    return any(_DECIMAL_COMMA.fullmatch(cell.strip('"')) for cell in cells)


def _undecodable(file: BinaryIO, encoding: str, error: UnicodeDecodeError) -> Exception:
    told = f"byte 0x{error.object[error.start]:02x} is not {encoding.removesuffix('-sig').upper()}: save it as UTF-8"
    return Place(_first_bad_line(file) if encoding != "utf-16" else None).wrong(told, code="WRONG_ENCODING")


def _first_bad_line(file: BinaryIO) -> int | None:
    file.seek(0)
    for number, line in enumerate(file, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return None
