"""Intake: the one door. A group of parcels is settled in one transaction; nothing is answered before the commit.

Where one parcel makes the store fail, the group is halved until that parcel is alone: it is set aside, the others are
written. Only `Unavailable` fails the whole group, which then has changed nothing and may be offered again.
"""

import logging
from collections.abc import Sequence

from cloud.errors import CloudError, Invalid, Unavailable
from cloud.ingest.batches import Batches
from cloud.ingest.books import Books
from cloud.ingest.clocks import count_future
from cloud.ingest.figures import Figures
from cloud.ingest.parcels import (
    ArchiveParcel,
    BatchParcel,
    DirectParcel,
    Group,
    HelloParcel,
    Outcome,
    Parcel,
    Pending,
    Settlement,
    StateParcel,
    TelemetryParcel,
    WaitingParcel,
    joined,
)
from cloud.ingest.plain_json import PlainJson
from cloud.ingest.quarantine import Reason
from cloud.ingest.settle import marks
from cloud.ingest.tables import KnownTable
from cloud.ports import Clock, ReadingStore, Written
from protocols.delivery import Ack, EpochMarks, EpochRange, Hello, State, decode
from protocols.errors import InvalidContent

READINGS = "lineside_ingest_readings"
MESSAGES = "lineside_ingest_messages"
_log = logging.getLogger(__name__)
_MAX_PROBLEMS = 10
_DECODED_AT_ONCE = 64
_TOLD_OF_A_BACKUP = 256
"""The most epochs of a gateway that hear of a backup at once; a hello asks for the others."""


class Intake:
    """Settles groups; one thread. Counts readings{outcome} and messages{outcome} besides the batches."""

    def __init__(self, store: ReadingStore, books: Books, *, clock: Clock, figures: Figures) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._figures = figures
        self._batches = Batches(books)
        self._plain_json = PlainJson(store)

    def settle(self, parcels: Sequence[Parcel], *, slow: bool = False) -> Settlement:
        """Make all durable and return what to say; raise Unavailable where nothing could be written.

        slow: whether the acks shall ask the gateways for less. Parcels are supervised: what one breaks stays its own.
        """
        try:
            return self._settle(parcels, slow=slow)
        except Unavailable:
            self._plain_json.forget()
            raise
        except Exception as error:  # noqa: BLE001 whatever one parcel causes must not stop the others
            self._plain_json.forget()
            if len(parcels) == 1:
                return self._set_aside(parcels[0], error, slow=slow)
        half = len(parcels) // 2
        return joined([self.settle(parcels[:half], slow=slow), self.settle(parcels[half:], slow=slow)])

    def decode_waiting(self) -> bool:
        """Write some batches whose tag table came meanwhile; return whether there may be more; raise Unavailable."""
        ready = self._books.tables.ready(limit=_DECODED_AT_ONCE)
        if ready:
            self.settle(ready)
        return bool(ready)

    def _settle(self, parcels: Sequence[Parcel], *, slow: bool) -> Settlement:
        group = Group(self._clock.now_us())
        with self._books.database.transaction(), self._store.transaction():
            accepted = [self._accept(group, parcel) for parcel in parcels]
            self._write(group)
        self._count(group)
        outcomes = tuple(one.outcome if isinstance(one, Pending) else one for one in accepted)
        return Settlement(outcomes, self._acks(group, slow=slow))

    def _accept(self, group: Group, parcel: Parcel) -> Pending | Outcome:
        match parcel:
            case BatchParcel():
                self._batches.accept(group, parcel)
            case WaitingParcel():
                self._batches.decode_waiting(group, parcel)
            case HelloParcel():
                self._hello(group, parcel)
            case StateParcel():
                self._state(group, parcel)
            case TelemetryParcel():
                self._telemetry(group, parcel)
            case ArchiveParcel():
                self._archive(group, parcel)
            case DirectParcel():
                return self._direct(group, parcel)
        return None

    def _write(self, group: Group) -> None:
        written = self._store.write([pending.arrival for pending in group.pending]) if group.pending else ()
        for pending, result in zip(group.pending, written, strict=True):
            pending.outcome = result
            self._book(group, pending, result)
        self._books.ledger.save(now_us=group.now_us)

    def _book(self, group: Group, pending: Pending, result: Written) -> None:
        for outcome in ("stored", "duplicate", "replaced", "rejected", "late"):
            group.count(READINGS, outcome, getattr(result, outcome))
        group.count(READINGS, "future", count_future(pending.arrival.block, group.now_us))
        entry, frame = pending.entry, pending.frame
        if entry is None or frame is None:
            return
        entry.account = entry.account.plus(
            stored=result.stored,
            replaced=result.replaced,
            duplicate=result.duplicate,
            quarantined=result.rejected,
            undecoded=-pending.undecoded,
        )
        if result.rejected:
            reason = Reason("refused_readings", f"the store refused {result.rejected} of {frame.header.count} readings")
            self._books.quarantine.keep(
                frame.header, pending.payload, reason, count=result.rejected, now_us=group.now_us
            )

    def _hello(self, group: Group, parcel: HelloParcel) -> None:
        try:
            hello = decode(parcel.payload, Hello)
        except InvalidContent:
            group.count(MESSAGES, "invalid_hello")
            return
        if self._books.roster.hello(parcel.gateway, hello, now_us=group.now_us):
            group.count(MESSAGES, "identity_cloned")
            _log.warning("identity_cloned", extra={"gateway": parcel.gateway})
        self._books.ledger.believe(hello.generation)
        for held in hello.epochs:
            self._books.ledger.entry(parcel.gateway, held.epoch, now_us=group.now_us)
        group.hellos.append((parcel.gateway, hello))
        group.count(MESSAGES, "hello")

    def _state(self, group: Group, parcel: StateParcel) -> None:
        try:
            state = decode(parcel.payload, State)
        except InvalidContent:
            group.count(MESSAGES, "invalid_state")
            return
        self._books.roster.state(parcel.gateway, state, is_retained=parcel.is_retained, now_us=group.now_us)
        group.count(MESSAGES, "state")
        if parcel.is_retained and state.online:
            # It came because we connected: tell the store's generation also to a gateway that has nothing to send.
            group.answers.setdefault(parcel.gateway, {})

    def _archive(self, group: Group, parcel: ArchiveParcel) -> None:
        for entry in reversed(self._books.ledger.archive(parcel.marks)):
            if len(group.answers.get(entry.gateway, ())) < _TOLD_OF_A_BACKUP:
                group.answer(entry.gateway, entry.epoch)
        group.count(MESSAGES, "archive")

    def _telemetry(self, group: Group, parcel: TelemetryParcel) -> None:
        understood = self._plain_json.understand(parcel.device, parcel.payload, now_us=group.now_us)
        if understood.arrival is not None:
            group.pending.append(Pending(understood.arrival))
            group.count(MESSAGES, "telemetry")
        group.count(MESSAGES, "invalid_telemetry", len(understood.problems))
        for problem in understood.problems[:_MAX_PROBLEMS]:
            self._books.quarantine.note_telemetry(
                parcel.device, problem.field, problem.text, parcel.payload, now_us=group.now_us
            )

    def _direct(self, group: Group, parcel: DirectParcel) -> Pending | Invalid:
        try:
            KnownTable.of(parcel.arrival.table).check(parcel.arrival.block)
        except InvalidContent as error:
            group.count(MESSAGES, "invalid_direct")
            return Invalid(str(error), code="INVALID_READINGS")
        pending = Pending(parcel.arrival)
        group.pending.append(pending)
        group.count(MESSAGES, "direct")
        return pending

    def _set_aside(self, parcel: Parcel, error: Exception, *, slow: bool) -> Settlement:
        _log.error("a parcel made the store fail and is set aside", exc_info=error)
        problem = f"{type(error).__name__}: {error}"
        group = Group(self._clock.now_us())
        group.count(MESSAGES, "internal_error")
        with self._books.database.transaction():
            self._quarantine(group, parcel, problem)
            self._books.ledger.save(now_us=group.now_us)
        self._count(group)
        failed = CloudError("the store failed on this", code="INTERNAL_ERROR")
        outcome = failed if isinstance(parcel, DirectParcel | ArchiveParcel) else None
        return Settlement((outcome,), self._acks(group, slow=slow))

    def _quarantine(self, group: Group, parcel: Parcel, problem: str) -> None:
        match parcel:
            case BatchParcel():
                self._batches.set_aside(group, parcel, problem)
            case WaitingParcel():
                self._batches.set_aside_waiting(group, parcel, problem)
            case TelemetryParcel():
                self._books.quarantine.note_telemetry(parcel.device, "", problem, parcel.payload, now_us=group.now_us)
            case HelloParcel() | StateParcel() | DirectParcel() | ArchiveParcel():
                pass

    def _acks(self, group: Group, *, slow: bool) -> tuple[tuple[str, Ack], ...]:
        acks: list[tuple[str, Ack]] = []
        for gateway, answers in group.answers.items():
            said = tuple(self._marks(group, gateway, epoch) for epoch in answers)
            acks.append((gateway, self._ack(gateway, said, slow=slow)))
        for gateway, hello in group.hellos:
            said = tuple(self._marks_held(gateway, held, now_us=group.now_us) for held in hello.epochs)
            acks.append((gateway, self._ack(gateway, said, slow=slow, nonce=hello.nonce)))
        return tuple(acks)

    def _ack(self, gateway: str, said: tuple[EpochMarks, ...], *, slow: bool, nonce: int | None = None) -> Ack:
        ledger, need = self._books.ledger, self._books.tables.needed(gateway)
        return Ack(ledger.generation, said, need, nonce, slow)

    def _marks(self, group: Group, gateway: str, epoch: int) -> EpochMarks:
        entry = self._books.ledger.entry(gateway, epoch, now_us=group.now_us)
        answer = group.answers[gateway][epoch]
        archived, rejected = entry.account.archived, tuple(answer.rejected)
        return marks(epoch, entry.settled, about=answer.about, archived=archived, rejected=rejected)

    def _marks_held(self, gateway: str, held: EpochRange, *, now_us: int) -> EpochMarks:
        """Return what a hello is told: the lowest ranges and no others, so that it is known what it is silent of."""
        entry = self._books.ledger.entry(gateway, held.epoch, now_us=now_us)
        rejected = self._books.quarantine.rejected(gateway, held.epoch, held.lo, held.hi)
        return marks(held.epoch, entry.settled, archived=entry.account.archived, rejected=rejected)

    def _count(self, group: Group) -> None:
        for (family, outcome), more in group.counts.items():
            self._figures.count(family, outcome, more)
