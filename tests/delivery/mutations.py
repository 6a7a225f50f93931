"""Broken variants of delivery: each differs from the real one by a single decision, and the fault machine finds each.

The first nine are those that the exhaustive exploration of the protocol's small model caught; the two after them break
what that model did not hold; the rest prove that every other invariant can fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as changed

import msgspec

from cloud.ingest.ledger import Ledger
from edge_agent.buffers.declaring import GivenUp, Terms, declare
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.delivery.outbox import Meaning, Outbox, Wanted
from edge_agent.ports import Buffer
from protocols.batch import Key
from protocols.delivery import Ack, EpochMarks, Hello, decode, encode
from tests.delivery.variant import Acks, Variant


class DeletesOnPuback(Variant):
    """The broker's PUBACK settles a batch."""

    caught_by = ("I3",)
    faults = frozenset({"commit", "have_a_quiet_spell"})

    def published(self, buffer: Buffer, keys: Sequence[Key]) -> None:
        for key in keys:
            buffer.apply(Ack(buffer.generation, (EpochMarks(key.epoch, 0, ((key.seq, key.seq),)),)))


class _OldEpochBuffer(SqliteBuffer):
    def __init__(self, place: BufferPlace, draw: Callable[[], int]) -> None:
        super().__init__(place, draw=draw)
        if self._shelf.books:
            self._epoch = self._shelf.in_order()[-1].epoch


class KeepsItsEpoch(Variant):
    """The epoch lies in the buffer and is used again after a start, so after a restore too."""

    caught_by = ("I4",)
    faults = frozenset({"commit", "take_an_image", "restore_the_agent"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _OldEpochBuffer(place, draw)


class AcksUpToTheHighest(Variant):
    """The cumulative ack is the highest seq seen, whatever is missing below it."""

    caught_by = ("I3",)
    faults = frozenset({"commit", "move_messages"})

    def acks(self, acks: Acks, *, news: frozenset[Key]) -> Acks:
        del news
        return _told(acks, lambda marks: EpochMarks(marks.epoch, max([marks.c, *(hi for _, hi in marks.sel)])))


class AcksBeforeTheCommit(Variant):
    """The ack goes out while the transaction is still open."""

    caught_by = ("I3",)
    faults = frozenset({"have_a_quiet_spell", "kill_the_writer"})
    acks_before_commit = True


class HasNoGeneration(Variant):
    """A restored store does not tell that it is another one."""

    caught_by = ("I3", "I5")
    faults = frozenset({"have_a_quiet_spell", "back_the_store_up", "restore_the_store"})

    def restored(self, ledger: Ledger, *, now_s: int) -> None:
        """Keep the generation."""


class _GenerationBesideBuffer(SqliteBuffer):
    def __init__(self, place: BufferPlace, draw: Callable[[], int]) -> None:
        super().__init__(place, draw=draw)
        self._beside = place.path.with_name("generation")
        if self._beside.exists():
            self._shelf.standing = changed(self._shelf.standing, generation=int(self._beside.read_text()))

    def apply(self, ack: Ack) -> bool:
        is_applied = super().apply(ack)
        self._beside.write_text(str(self.generation))
        return is_applied


class KeepsTheGenerationBeside(Variant):
    """The generation lies in a file of its own, which an old copy of the buffer does not bring back."""

    caught_by = ("I3",)
    faults = frozenset({"have_a_quiet_spell", "restore_both_sides"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _GenerationBesideBuffer(place, draw)


class _NoSafetyCopyBuffer(SqliteBuffer):
    def apply(self, ack: Ack) -> bool:
        is_applied = super().apply(ack)
        cap, self._cap = self._cap, 0
        with self._shelf.changing():
            while self._purge():
                pass
        self._cap = cap
        return is_applied


class PurgesAtTheCommit(Variant):
    """No safety copy stays at the gateway, though the store may be restored."""

    caught_by = ("I1",)
    faults = frozenset({"have_a_quiet_spell", "restore_the_store"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _NoSafetyCopyBuffer(place, draw=draw)


class LeavesDuplicatesUnanswered(Variant):
    """A batch that the store has already is not acked again, so a lost ack is never made good."""

    caught_by = ("I7",)
    faults = frozenset({"let_only_acks_be_lost", "wait"})

    def acks(self, acks: Acks, *, news: frozenset[Key]) -> Acks:
        return [(gateway, ack) for gateway, ack in acks if news or ack.nonce is not None]


class RaisesTheGenerationByOne(Variant):
    """Each restore makes the generation that of the backup + 1, the same number for the same backup."""

    caught_by = ("I3", "I5")
    faults = frozenset({"have_a_quiet_spell", "restore_the_store"})

    def restored(self, ledger: Ledger, *, now_s: int) -> None:
        del now_s
        ledger.restored(now_s=0)


class _DeafOutbox(Outbox):
    def take(self, ack: Ack, now_s: float, *, generation: int) -> Meaning:
        meaning = super().take(ack, now_s, generation=generation)
        return Meaning.NEWS if meaning is Meaning.WENT_BACK else meaning


class IgnoresThatTheStoreWentBack(Variant):
    """An answer to the own hello that covers less than before changes nothing."""

    caught_by = ("I3", "I7")
    faults = frozenset({"have_a_quiet_spell", "put_an_old_store_in_its_place_unnoticed"})
    outbox = _DeafOutbox


class DoesNotBelieveTheHello(Variant):
    """A hello that knows a higher generation does not raise the store's."""

    caught_by = ("I3", "I7")
    faults = frozenset({"have_a_quiet_spell", "restore_the_store", "put_an_old_store_in_its_place_unnoticed"})

    def hello(self, payload: bytes) -> bytes:
        return encode(msgspec.structs.replace(decode(payload, Hello), generation=0))


class AnswersRepeatsWithLess(Variant):
    """A repeat is answered with an ack of before the batch came."""

    caught_by = ("I5", "I7")
    faults = frozenset({"commit", "move_messages", "have_a_quiet_spell"})

    def acks(self, acks: Acks, *, news: frozenset[Key]) -> Acks:
        return acks if news else _told(acks, lambda marks: EpochMarks(marks.epoch, max(0, marks.c - 1)))


class _EagerOutbox(Outbox):
    def wants(self, now_s: float) -> Wanted | None:
        wanted = super().wants(now_s)
        return wanted and Wanted(wanted.limit + 4, wanted.newest, wanted.skip)


class SendsMoreThanTheWindow(Variant):
    """Four batches too many go out at once."""

    caught_by = ("I6",)
    faults = frozenset({"commit", "have_a_quiet_spell", "fill_the_buffer", "lose_the_connection"})
    outbox = _EagerOutbox


class ArchivesWhatIsInNoBackup(Variant):
    """The archive mark tells of more than the backup holds, and gateways purge by it."""

    caught_by = ("I1", "I5")
    faults = frozenset({"have_a_quiet_spell", "need_the_last_archive"})

    def archive_marks(self, marks: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        return {epoch: c + 1000 for epoch, c in marks.items()}


class LeavesPoisonUnsettled(Variant):
    """A batch that cannot be read is not settled, so it keeps its place in the window."""

    caught_by = ("I10",)
    faults = frozenset({"seal_poison", "have_a_quiet_spell"})

    def acks(self, acks: Acks, *, news: frozenset[Key]) -> Acks:
        del news
        return _told(acks, _without_rejected)


class _UncountedDropBuffer(SqliteBuffer):
    def _give_up(self, given: GivenUp, at_us: int) -> None:
        super()._give_up(given, at_us)
        for row in given.rows:
            book = self._shelf.books[row.epoch]
            self._shelf.books[row.epoch] = changed(book, dropped=book.dropped - row.readings)


class DropsWithoutCounting(Variant):
    """What the policy throws away is declared, but not counted."""

    caught_by = ("I8",)
    faults = frozenset({"fill_the_buffer", "have_a_quiet_spell"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _UncountedDropBuffer(place, draw=draw)


class _UndeclaredDropBuffer(SqliteBuffer):
    def _give_up(self, given: GivenUp, at_us: int) -> None:
        super()._give_up(GivenUp(given.rows), at_us)


class DropsWithoutDeclaring(Variant):
    """What the policy throws away is counted, but nobody is told which batches it was."""

    caught_by = ("I1",)
    faults = frozenset({"fill_the_buffer", "have_a_quiet_spell"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _UndeclaredDropBuffer(place, draw=draw)


class _ForgetfulBuffer(SqliteBuffer):
    def _give_up(self, given: GivenUp, at_us: int) -> None:
        terms = Terms("the buffer is full")
        super()._give_up(GivenUp(given.rows, declare(given.rows, {}, terms)), at_us)


class ForgetsOldDeclarations(Variant):
    """An old declaration goes with the data around it, and none takes over what it said."""

    caught_by = ("I1",)
    faults = frozenset({"fill_the_buffer"})
    needs_file = True

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        return _ForgetfulBuffer(place, draw=draw)


def _told(acks: Acks, change: Callable[[EpochMarks], EpochMarks]) -> Acks:
    return [(name, msgspec.structs.replace(ack, epochs=tuple(map(change, ack.epochs)))) for name, ack in acks]


def _without_rejected(marks: EpochMarks) -> EpochMarks:
    seqs = {seq for one in marks.rej for seq in range(one.lo, one.hi + 1)}
    if not seqs:
        return marks
    c = min(marks.c, min(seqs) - 1)
    told = {seq for lo, hi in ((1, marks.c), *marks.sel) for seq in range(lo, hi + 1)} - seqs
    return EpochMarks(marks.epoch, c, tuple((seq, seq) for seq in sorted(told) if seq > c))


NINE: Mapping[str, type[Variant]] = {
    "delete on PUBACK": DeletesOnPuback,
    "same epoch after a restore": KeepsItsEpoch,
    "cumulative ack = highest seen": AcksUpToTheHighest,
    "ack before commit": AcksBeforeTheCommit,
    "no store generation": HasNoGeneration,
    "generation kept outside the edge database": KeepsTheGenerationBeside,
    "purge at commit while the store may be restored": PurgesAtTheCommit,
    "duplicates not acked again": LeavesDuplicatesUnanswered,
    "generation = backup's + 1 with two restores of one backup": RaisesTheGenerationByOne,
}
"""The broken variants by the words of the protocol's document."""
TWO: Mapping[str, type[Variant]] = {
    "store_went_back ignored": IgnoresThatTheStoreWentBack,
    "the hello does not raise the store's generation": DoesNotBelieveTheHello,
}
"""What the small model did not have."""
MORE: Mapping[str, type[Variant]] = {
    "repeats answered with less": AnswersRepeatsWithLess,
    "more than the window in flight": SendsMoreThanTheWindow,
    "archive marks beyond the backup": ArchivesWhatIsInNoBackup,
    "poison is not settled": LeavesPoisonUnsettled,
    "drops are not counted": DropsWithoutCounting,
    "drops are not declared": DropsWithoutDeclaring,
    "old declarations are forgotten": ForgetsOldDeclarations,
}
"""So that no invariant is one that cannot fail."""
