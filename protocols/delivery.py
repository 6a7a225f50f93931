"""hello, ack and state: the messages by which a gateway and the cloud agree on what is safe.

All are small JSON documents, so that a person with any MQTT client can read them. Marks and ranges are inclusive.
The last member is `crc`, the crc32 of all bytes before its comma as 8 hex digits: one bent digit of a mark would have a
gateway forget what no store has. A document without it, written by hand, is taken as it is.
"""

import re
import zlib
from typing import Annotated, TypeVar

import msgspec

from protocols.batch import Positive, Whole, Words
from protocols.errors import InvalidContent
from protocols.wanted import ModelStanding

MAX_MESSAGE_BYTES = 256 * 1024
MAX_RANGES = 256
"""The most ranges beyond `c` that an answer to a hello names, the lowest; of those beyond them it says nothing."""
_CHECKED = re.compile(rb'(.*),"crc":"([0-9a-f]{8})"}', re.DOTALL)
Instant = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Nonce = Annotated[int, msgspec.Meta(ge=0)]


class EpochRange(msgspec.Struct, frozen=True):
    """One epoch with batches that the gateway still holds; closed: no batch will be added to it.

    An epoch that holds no batch ends one before it begins.
    """

    epoch: Positive
    lo: Whole
    hi: Whole
    closed: bool


class Hello(msgspec.Struct, frozen=True):
    """The first words of a gateway after each connect; generation 0 means that it knows of none yet."""

    nonce: Nonce
    version: Words
    epochs: tuple[EpochRange, ...]
    wall_us: Instant
    monotonic_us: Whole
    generation: Whole
    clock_is_set: bool = True
    buffered_readings: Whole = 0
    dropped_readings: Whole = 0


class Rejected(msgspec.Struct, frozen=True):
    """Batches lo..hi are kept in quarantine and must not be sent again."""

    lo: Positive
    hi: Positive
    code: Words


class EpochMarks(msgspec.Struct, frozen=True):
    """What the store holds of one epoch.

    c: all seq <= c are settled (stored, quarantined or dropped); sel: settled ranges beyond c; a: all seq <= a are in
    a backup; rej: what was put into quarantine.
    """

    epoch: Positive
    c: Whole
    sel: tuple[tuple[Positive, Positive], ...] = ()
    a: Whole = 0
    rej: tuple[Rejected, ...] = ()

    def covers(self, seq: int) -> bool:
        """Return whether this batch is settled."""
        return seq <= self.c or any(lo <= seq <= hi for lo, hi in self.sel)


class Ack(msgspec.Struct, frozen=True):
    """What the cloud's store has committed, computed from the store; nonce answers that hello; slow asks for less.

    generation: of the store, raised at each restore; need: hashes of tag tables that the store lacks.
    """

    generation: Whole
    epochs: tuple[EpochMarks, ...]
    need: tuple[Words, ...] = ()
    nonce: Nonce | None = None
    slow: bool = False


MAX_ACCOUNTS = 64
"""As many epochs a State counts at most, the newest; where there are fewer, the gateway has no others."""


class EpochAccount(msgspec.Struct, frozen=True):
    """Readings of one epoch by the gateway's own count: sealed = acked + waiting + dropped."""

    epoch: Positive
    sealed: Whole
    acked: Whole
    waiting: Whole
    dropped: Whole


class State(msgspec.Struct, frozen=True):
    """Retained on the state topic, every few seconds while something changes, and left as the will (without accounts).

    at_us: the gateway's wall clock; skipped_polls: polls given up because they were late, since the start; models: how
    each Device is judged, where any is.
    """

    online: bool
    epoch: Whole
    version: Words = ""
    at_us: Instant = 0
    accounts: tuple[EpochAccount, ...] = ()
    skipped_polls: Whole = 0
    models: tuple[ModelStanding, ...] = ()


Message = TypeVar("Message", Hello, Ack, State)


def encode(message: Hello | Ack | State) -> bytes:
    """Return the message as JSON that ends with its crc."""
    content = msgspec.json.encode(message)[:-1]
    return content + b',"crc":"%08x"}' % zlib.crc32(content)


def decode(payload: bytes, form: type[Message]) -> Message:
    """Return the message of this form; raise InvalidContent that says what is wrong and where."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise InvalidContent(f"a {form.__name__} of {len(payload)} bytes is over {MAX_MESSAGE_BYTES}")
    checked = _CHECKED.fullmatch(payload)
    if checked and zlib.crc32(checked[1]) != int(checked[2], 16):
        raise InvalidContent(f"a {form.__name__} does not have the crc {checked[2].decode()} that it says")
    try:
        message = msgspec.json.decode(payload, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent(f"not a {form.__name__}: {error}") from error
    _check(message)
    return message


def _check(message: Hello | Ack | State) -> None:
    """Raise InvalidContent where a range ends before it begins, or more is archived than settled."""
    match message:
        case Hello(epochs=epochs):
            for held in epochs:
                if held.hi < held.lo - 1:
                    raise InvalidContent(f"a Hello holds batches {held.lo}..{held.hi} of epoch {held.epoch}")
        case Ack(epochs=marks):
            for mark in marks:
                _check_marks(mark)
        case State():
            return


def _check_marks(mark: EpochMarks) -> None:
    if mark.a > mark.c:
        raise InvalidContent(f"an Ack of epoch {mark.epoch} archives up to {mark.a} but settles up to {mark.c}")
    for lo, hi in (*mark.sel, *((rejected.lo, rejected.hi) for rejected in mark.rej)):
        if lo > hi:
            raise InvalidContent(f"an Ack of epoch {mark.epoch} names batches {lo}..{hi}")
