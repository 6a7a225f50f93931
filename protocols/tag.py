"""Tag, DataType, orders and the TagTable: what a Device exposes, how to read its words, and how both ends name it."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Self

import msgspec

from protocols.errors import InvalidContent
from protocols.reading import Kind

MAX_TABLE_BYTES = 4 * 1024 * 1024
"""The most that a tag table may unpack to."""
Name = Annotated[str, msgspec.Meta(max_length=256)]


class DataType(StrEnum):
    """How a value lies in registers or on an OPC UA server."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    TEXT = "string"

    @property
    def kind(self) -> Kind:
        """Return the column that unscaled values of this type live in."""
        return _KINDS[self]

    @property
    def words(self) -> int:
        """Return how many 16-bit registers one value takes; a string says its own length, here 1."""
        return _WORDS.get(self, 1)


_KINDS: Mapping[DataType, Kind] = {
    DataType.BOOL: Kind.BOOL,
    DataType.INT16: Kind.INT,
    DataType.INT32: Kind.INT,
    DataType.INT64: Kind.INT,
    DataType.UINT16: Kind.UINT,
    DataType.UINT32: Kind.UINT,
    DataType.UINT64: Kind.UINT,
    DataType.FLOAT32: Kind.FLOAT,
    DataType.FLOAT64: Kind.FLOAT,
    DataType.TEXT: Kind.TEXT,
}
_WORDS: Mapping[DataType, int] = {
    DataType.INT32: 2,
    DataType.UINT32: 2,
    DataType.FLOAT32: 2,
    DataType.INT64: 4,
    DataType.UINT64: 4,
    DataType.FLOAT64: 4,
}


class ByteOrder(StrEnum):
    """The order of the two bytes inside one register."""

    BIG = "big"
    LITTLE = "little"


class WordOrder(StrEnum):
    """The order of the registers of one value: big means the most significant first."""

    BIG = "big"
    LITTLE = "little"


class DeviceInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the other end must know of a Device: its id on the gateway and how people call it."""

    id: Name
    type: Name = ""
    name: Name = ""
    location: Name = ""


class TagInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the other end must know of a Tag; device: index into the table's devices; period_s: 0 means on change."""

    device: int
    name: Name
    kind: Kind
    unit: Name = ""
    period_s: float = 0.0
    is_primary: bool = False


class TagTable(msgspec.Struct, frozen=True, dict=True):
    """The names behind the tag indices of a gateway's readings; on the wire it is named by its hash."""

    devices: tuple[DeviceInfo, ...] = ()
    tags: tuple[TagInfo, ...] = ()

    @cached_property
    def body(self) -> bytes:
        """Return the msgpack form, the same bytes for the same table."""
        return msgspec.msgpack.encode(self)

    @cached_property
    def hash(self) -> str:
        """Return the first 16 hex digits of the body's sha256."""
        return table_hash(self.body)

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Return the table; raise InvalidContent where it is malformed, empty of names, or an index points nowhere."""
        try:
            table = msgspec.msgpack.decode(body, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidContent(f"not a tag table: {error}") from error
        for index, tag in enumerate(table.tags):
            if not 0 <= tag.device < len(table.devices):
                raise InvalidContent(f"tag {index} ({tag.name!r}) names device {tag.device} of {len(table.devices)}")
            if not tag.name or not table.devices[tag.device].id:
                raise InvalidContent(f"tag {index} or its device has an empty name")
        return table


def table_hash(body: bytes) -> str:
    """Return the name of a tag table: the first 16 hex digits of its body's sha256."""
    return sha256(body).hexdigest()[:16]
