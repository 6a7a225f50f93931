"""Batches: what is done with one frame of a gateway inside the transaction of its group.

Counts `lineside_ingest_batches{outcome}`: stored, duplicate, conflict, quarantined, undecoded, tags, drop, event; and
without an answer: truncated, oversized, checksum_mismatch, unknown_version, malformed_frame, foreign.
"""

from collections.abc import Mapping

from cloud.ingest.books import Books
from cloud.ingest.clocks import with_clock_set
from cloud.ingest.ledger import Entry
from cloud.ingest.parcels import BatchParcel, Group, Pending, WaitingParcel
from cloud.ingest.quarantine import Reason
from cloud.ingest.settle import Verdict
from cloud.ingest.tables import KnownTable
from cloud.ports import Arrival
from protocols.batch import MAX_READINGS, BatchKind, Header
from protocols.codec import Frame, open_data, open_drop, open_event, open_tags, unpack
from protocols.delivery import Rejected
from protocols.errors import (
    ChecksumMismatch,
    InvalidContent,
    MalformedFrame,
    Oversized,
    Truncated,
    UnknownVersion,
)

FAMILY = "lineside_ingest_batches"
_UNREADABLE: Mapping[type[MalformedFrame], str] = {
    Truncated: "truncated",
    Oversized: "oversized",
    ChecksumMismatch: "checksum_mismatch",
    UnknownVersion: "unknown_version",
}


class Batches:
    """Settles frames one by one; what they hold is written with the group."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def accept(self, group: Group, parcel: BatchParcel) -> None:
        """Settle one frame; a frame that cannot be read, or names another gateway, is counted and gets no answer."""
        try:
            frame = unpack(parcel.payload)
        except MalformedFrame as error:
            group.count(FAMILY, _UNREADABLE.get(type(error), "malformed_frame"))
            return
        if frame.header.gateway != parcel.gateway:
            group.count(FAMILY, "foreign")
            return
        self._settle(group, frame, parcel.payload)

    def decode_waiting(self, group: Group, parcel: WaitingParcel) -> None:
        """Write a batch that waited for its tag table."""
        header = parcel.header
        known = self._books.tables.find(header.gateway, header.table)
        if known is None:
            raise LookupError(f"tag table {header.table} of {header.gateway} is not there")
        frame = unpack(parcel.payload)
        try:
            self._decode(group, self._entry(group, frame.header), frame, parcel.payload, known)
        except InvalidContent as error:
            self._give_up(group, parcel, Reason("invalid_content", str(error)))
        else:
            self._books.tables.end_waiting(parcel)
            group.pending[-1].undecoded = header.count

    def set_aside_waiting(self, group: Group, parcel: WaitingParcel, problem: str) -> None:
        """Keep a batch in quarantine that waited, and then made the store fail."""
        self._give_up(group, parcel, Reason("internal_error", problem))

    def set_aside(self, group: Group, parcel: BatchParcel, problem: str) -> None:
        """Keep a frame in quarantine that made the store fail, and settle it."""
        frame = unpack(parcel.payload)
        group.answer(frame.header.gateway, frame.header.epoch).about.add(frame.header.seq)
        self._reject(group, self._entry(group, frame.header), frame, parcel.payload, Reason("internal_error", problem))

    def _settle(self, group: Group, frame: Frame, payload: bytes) -> None:
        header = frame.header
        if header.gateway not in group.answers:
            self._books.roster.seen(header.gateway, now_us=group.now_us)
        group.answer(header.gateway, header.epoch).about.add(header.seq)
        entry = self._entry(group, header)
        match self._books.ledger.judge(entry, header.seq, frame.crc):
            case Verdict.NEW:
                self._take(group, entry, frame, payload)
            case Verdict.DUPLICATE:
                self._repeat(group, entry, frame)
            case Verdict.CONFLICT:
                self._conflict(group, entry, frame, payload)

    def _take(self, group: Group, entry: Entry, frame: Frame, payload: bytes) -> None:
        try:
            self._open(group, entry, frame, payload)
        except InvalidContent as error:
            self._reject(group, entry, frame, payload, Reason("invalid_content", str(error)))
        else:
            self._books.ledger.keep(entry, frame.header.seq, crc=frame.crc, count=readings_in(frame))

    def _open(self, group: Group, entry: Entry, frame: Frame, payload: bytes) -> None:
        header, books = frame.header, self._books
        match header.kind:
            case BatchKind.DATA:
                self._open_data(group, entry, frame, payload)
            case BatchKind.TAGS:
                books.tables.keep(header.gateway, open_tags(frame), now_us=group.now_us)
                group.count(FAMILY, "tags")
            case BatchKind.DROP:
                drop = open_drop(frame)
                dropped = books.ledger.entry(header.gateway, drop.epoch, now_us=group.now_us)
                books.ledger.drop(dropped, drop)
                group.answer(header.gateway, drop.epoch)
                group.count(FAMILY, "drop")
            case BatchKind.EVENT:
                books.roster.event(header.gateway, header.key, open_event(frame))
                group.count(FAMILY, "event")

    def _open_data(self, group: Group, entry: Entry, frame: Frame, payload: bytes) -> None:
        known = self._books.tables.find(frame.header.gateway, frame.header.table)
        if known is not None:
            self._decode(group, entry, frame, payload, known)
            return
        self._books.tables.await_table(frame.header, payload)
        entry.account = entry.account.plus(undecoded=readings_in(frame))
        group.count(FAMILY, "undecoded")

    def _decode(self, group: Group, entry: Entry, frame: Frame, payload: bytes, known: KnownTable) -> None:
        header = frame.header
        block = open_data(frame)
        known.check(block)
        arrival = Arrival(header.gateway, known.table, block, header.key, frame.body, group.now_us)
        if entry.account.unset_clock_skew_us is not None:
            arrival = with_clock_set(arrival, entry.account.unset_clock_skew_us, segment=header.segment)
        group.pending.append(Pending(arrival, entry, frame, payload))
        group.count(FAMILY, "stored")

    def _repeat(self, group: Group, entry: Entry, frame: Frame) -> None:
        header = frame.header
        entry.account = entry.account.plus(resent=readings_in(frame))
        rejected = self._books.quarantine.rejected(header.gateway, header.epoch, header.seq, header.seq)
        group.answer(header.gateway, header.epoch).rejected.extend(rejected)
        group.count(FAMILY, "duplicate")

    def _conflict(self, group: Group, entry: Entry, frame: Frame, payload: bytes) -> None:
        entry.account = entry.account.plus(conflicting=readings_in(frame))
        self._books.roster.conflict(frame.header.gateway, now_us=group.now_us)
        reason = Reason("identity_conflict", "another batch came under this key before, and was kept")
        self._set_aside(group, frame, payload, reason)
        group.count(FAMILY, "conflict")

    def _reject(self, group: Group, entry: Entry, frame: Frame, payload: bytes, reason: Reason) -> None:
        header, count = frame.header, readings_in(frame)
        entry.account = entry.account.plus(quarantined=count)
        self._books.ledger.keep(entry, header.seq, crc=frame.crc, count=count)
        group.answer(header.gateway, header.epoch).rejected.append(Rejected(header.seq, header.seq, reason.code))
        self._set_aside(group, frame, payload, reason)

    def _give_up(self, group: Group, parcel: WaitingParcel, reason: Reason) -> None:
        header = parcel.header
        entry = self._entry(group, header)
        entry.account = entry.account.plus(undecoded=-header.count, quarantined=header.count)
        self._books.tables.end_waiting(parcel)
        self._books.quarantine.keep(header, parcel.payload, reason, count=header.count, now_us=group.now_us)
        group.count(FAMILY, "quarantined")

    def _set_aside(self, group: Group, frame: Frame, payload: bytes, reason: Reason) -> None:
        self._books.quarantine.keep(frame.header, payload, reason, count=readings_in(frame), now_us=group.now_us)
        group.count(FAMILY, "quarantined")

    def _entry(self, group: Group, header: Header) -> Entry:
        return self._books.ledger.entry(header.gateway, header.epoch, now_us=group.now_us)


def readings_in(frame: Frame) -> int:
    """Return how many readings the gateway sealed into this batch, by its header and no more than a batch may hold."""
    return min(frame.header.count, MAX_READINGS) if frame.header.kind is BatchKind.DATA else 0
