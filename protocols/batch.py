"""Batch: what is sealed, stored, sent and settled as one; its header, its kinds and what non-data batches hold.

A batch is (gateway, epoch, seq): `epoch` is drawn at random at every agent start (63 random bits, since SQLite's
integers are signed), `seq` counts 1, 2, 3 ... inside it. Once a body has a key it never changes.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import msgspec

MAX_FRAME_BYTES = 64 * 1024
"""The most that an agent puts into one message; a decoder takes up to 16 times as much from older settings."""
MAX_ACCEPTED_BYTES = 16 * MAX_FRAME_BYTES
MAX_BODY_BYTES = 16 * 1024 * 1024
"""The most that a body may unpack to."""
MAX_READINGS = 1 << 17
"""The most readings in one batch."""
MAX_SMALL_BODY_BYTES = 64 * 1024
"""The most that the body of a drop or an event may unpack to."""
MAX_COUNTS = 4096
"""The most groups of batches that one declaration of given up readings counts."""
Whole = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
Words = Annotated[str, msgspec.Meta(max_length=1024)]


class BatchKind(IntEnum):
    """What a batch holds."""

    DATA = 0
    TAGS = 1
    DROP = 2
    EVENT = 3


class Key(msgspec.Struct, frozen=True, order=True):
    """The name of a batch on its gateway."""

    epoch: int
    seq: int


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What can be known of a batch without unpacking its body.

    segment: clock segment, a number that rises with each step of the gateway's clock; table: hash of the tag table
    that a data batch uses or a tags batch holds, else empty; count: readings inside (of a drop: readings given up).
    """

    kind: BatchKind
    gateway: str
    epoch: int
    seq: int
    segment: int
    table: str
    count: int

    @property
    def key(self) -> Key:
        """Return the batch's name on its gateway."""
        return Key(self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch whose body will not change any more and that has no key yet; body: compressed bytes."""

    kind: BatchKind
    segment: int
    table: str
    count: int
    body: bytes


class Drop(msgspec.Struct, frozen=True):
    """Readings that the gateway gave up for room: batches lo..hi of an epoch, and why.

    counts: (how many batches, readings in each) in order from lo on, so that what is declared twice counts once; empty
    from agents that do not tell.
    """

    epoch: Positive
    lo: Positive
    hi: Positive
    readings: Whole
    reason: Words
    counts: Annotated[tuple[tuple[Positive, Whole], ...], msgspec.Meta(max_length=MAX_COUNTS)] = ()


class GatewayEvent(msgspec.Struct, frozen=True):
    """Something that happened on the gateway; at_us: its clock; detail: strings and numbers only."""

    at_us: int
    name: Words
    device: Words = ""
    detail: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
