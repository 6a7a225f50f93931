"""Which format a file is in, by what it holds, and who reads it."""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from cloud.errors import Malformed
from cloud.learning.sheet import Sheet
from cloud.learning.uploads.bounds import Bounds, Place
from cloud.learning.uploads.csv_rows import read_csv
from cloud.learning.uploads.json_rows import read_json

Reader = Callable[[BinaryIO, Bounds], Sheet]
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip, or a spreadsheet",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"7z\xbc\xaf": "7z",
}
_LONGEST = 8


def _read_parquet(file: BinaryIO, bounds: Bounds) -> Sheet:
    from cloud.learning.uploads.parquet import read_parquet  # noqa: PLC0415 - costs what only Parquet needs

    return read_parquet(file, bounds)


READERS: Mapping[str, Reader] = {"csv": read_csv, "json": read_json, "parquet": _read_parquet}


def format_of(name: str, head: bytes) -> str:
    """Return the format of a file that begins with `head`; raise Malformed for a packed one, or one that is not it.

    What a file holds decides; its name only tells a CSV from JSON where both could be.
    """
    packed = next((word for magic, word in _PACKED.items() if head.startswith(magic)), None)
    if packed is not None:
        raise Place().wrong(f"is packed ({packed}): send it unpacked", code="INVALID_FORMAT")
    if not head.strip():
        raise Place().wrong("is empty", code="INVALID_FORMAT")
    ending = name.rpartition(".")[2].lower()
    found = "parquet" if head.startswith(b"PAR1") else _text_format(ending, head)
    if ending in READERS and ending != found:
        raise Malformed(f"file: is called .{ending} and is not {ending}", code="INVALID_FORMAT")
    return found


def _text_format(ending: str, head: bytes) -> str:
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if ending == "csv":
        return "csv"
    return "json" if first in (b"[", b"{") else "csv"
