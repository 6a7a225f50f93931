"""Store: the real ingest of the cloud on a real file, with the ways in which a store is lost, restored and mistaken.

Beside it lies a model, plain sets of keys, of what must be settled; an ack that says another thing breaks I3.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cloud.ingest.parcels import BatchParcel, HelloParcel, Parcel
from cloud.storage.chunks.database import Database, Space
from cloud.storage.chunks.store import ChunkStore
from protocols.batch import Key
from protocols.codec import unpack
from protocols.delivery import Ack, EpochMarks
from tests.delivery.agent import GATEWAY
from tests.delivery.made import Register
from tests.delivery.straight import Killed, StillClock
from tests.delivery.variant import Acks, Variant
from tests.support.ingest import Desk

_ROOM = Space(1 << 40, 1 << 40)
_FOR_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a gateway on its way to the store."""

    payload: bytes
    is_hello: bool


@dataclass
class Model:
    """What must be settled: kept by the store, or given up by its gateway and not kept."""

    stored: set[Key] = field(default_factory=set)
    dropped: set[Key] = field(default_factory=set)

    @property
    def settled(self) -> set[Key]:
        """Return what need not come again."""
        return self.stored | self.dropped


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the store; archived: epoch -> up to which seq gateways were told that a backup holds all."""

    path: Path
    model: Model
    archived: dict[int, int]
    number: int


class Store:
    """One writer on one file. settled_in: generation -> keys that a store of this generation ever had (I3)."""

    def __init__(self, directory: Path, *, variant: Variant, clock: StillClock, register: Register) -> None:
        self._path = directory / "readings.db"
        self._directory = directory
        self._variant = variant
        self._clock = clock
        self._register = register
        self._told: dict[tuple[int, int, int], EpochMarks] = {}
        self._life = 0
        self._archived: dict[int, int] = {}
        self.archived_ever: dict[int, int] = {}
        self.model = Model()
        self.backups: list[Backup] = []
        self.settled_in: dict[int, set[Key]] = {}
        self._desk = self._open()

    @property
    def generation(self) -> int:
        """Return the generation of the file as it is now."""
        return self._desk.books.ledger.generation

    @property
    def desk(self) -> Desk:
        """Return the intake and its books."""
        return self._desk

    def close(self) -> None:
        """Let go of the file."""
        self._desk.database.close()

    def settle(self, letters: Sequence[Letter]) -> Acks:
        """Settle a group and return what is said to the gateways, after I3, I5, I8 and I10 were looked at."""
        parcels = [self._parcel(letter) for letter in letters]
        before = self.model.settled
        settlement = self._desk.intake.settle(parcels)
        keys = [unpack(letter.payload).header.key for letter in letters if not letter.is_hello]
        for key in keys:
            self._take(key)
        self._remember()
        acks = self._variant.acks(settlement.acks, news=frozenset(keys) - before)
        for _, ack in acks:
            self._check(ack)
        self._check_answers(keys, acks)
        self.check_accounts()
        return acks

    def die_before_the_commit(self, letters: Sequence[Letter]) -> Acks:
        """Be killed in the middle of a transaction; return what was said before it was durable, which is nothing."""
        said: Acks = ()
        parcels = [self._parcel(letter) for letter in letters]
        with suppress(Killed), self._desk.database.transaction():
            said = self._desk.intake.settle(parcels).acks
            raise Killed
        self.reopen()
        return said if self._variant.acks_before_commit else ()

    def reopen(self) -> None:
        """Start again on the same file."""
        self.close()
        self._desk = self._open()

    def decode_waiting(self) -> None:
        """Write the batches whose tag tables have come."""
        self._desk.decode_waiting()
        self.check_accounts()

    def back_up(self, *, archive: bool) -> None:
        """Copy the file; archive: tell the ledger what the copy holds. The last three copies are kept."""
        self._desk.database.execute("pragma wal_checkpoint(truncate)")
        number = self.backups[-1].number + 1 if self.backups else 1
        target = self._directory / f"backup-{number}.db"
        shutil.copy(self._path, target)
        if archive:
            self._publish_archive()
        self.backups = [*self.backups, Backup(target, deepcopy(self.model), dict(self._archived), number)][-3:]

    def restore(self, backup: Backup) -> None:
        """Put a backup in the place of the file, as the command does that raises the generation."""
        self._put_back(backup)
        self._clock.move(60)
        self._variant.restored(self._desk.books.ledger, now_s=self._clock.now_us() // 1_000_000)
        self.settled_in[self.generation] = self.model.settled  # of this store and no other that bore the number

    def put_back_unnoticed(self, backup: Backup) -> None:
        """Put a backup in the place of the file without a word; its generation is whatever it was."""
        self._put_back(backup)
        self._life += 1
        self._remember()

    def check_accounts(self) -> None:
        """I8 in the ledger: every settled reading is counted once, in one place, epoch by epoch."""
        register, now_us = self._register, self._clock.now_us()
        for epoch, batches in register.epochs.items():
            account = self._desk.books.ledger.entry(GATEWAY, epoch, now_us=now_us).account
            stored = register.readings(one.key for one in batches if one.key in self.model.stored)
            dropped = register.readings(one.key for one in batches if one.key in self.model.dropped)
            assert account.replaced == account.duplicate == 0, f"I2: a reading of epoch {epoch} was stored twice"
            kept = account.stored + account.quarantined + account.undecoded
            assert kept == stored, f"I8: epoch {epoch}: {kept} readings are counted as kept, {stored} are"
            assert account.dropped == dropped, f"I8: epoch {epoch}: {account.dropped} dropped, {dropped} are"

    def check_readings(self) -> None:
        """I1, I2: what can be read is what was made, each value once, unaltered, and nothing else."""
        expected: dict[int, float] = {}
        waiting = self._waiting()
        for key in self.model.stored - waiting:
            expected |= self._register.batches[key].values
        series = self._desk.store.series(source=GATEWAY)
        found = [self._desk.store.points(one, start_us=0, end_us=_FOR_EVER, limit=1 << 20) for one in series]
        times = np.concatenate([points.time_us for points in found]) if found else np.empty(0)
        values = np.concatenate([points.value for points in found]) if found else np.empty(0)
        assert len(times) == len(set(times.tolist())), "I2: a reading can be read twice"
        read = dict(zip(times.tolist(), values.tolist(), strict=True))
        assert not expected.keys() - read.keys(), "I1: stored readings cannot be read"
        assert not read.keys() - expected.keys(), "I2: readings that nobody stored can be read"
        assert read == expected, "I2: readings were altered"

    def needed(self) -> set[str]:
        """Return the tag tables that batches wait for."""
        return set(self._desk.books.tables.needed(GATEWAY))

    def _waiting(self) -> set[Key]:
        rows = self._desk.database.execute("select epoch, seq from undecoded")
        return {Key(epoch, seq) for epoch, seq in rows}

    def _parcel(self, letter: Letter) -> Parcel:
        if letter.is_hello:
            return HelloParcel(GATEWAY, self._variant.hello(letter.payload))
        return BatchParcel(GATEWAY, letter.payload)

    def _take(self, key: Key) -> None:
        if key in self.model.stored:
            return
        self.model.stored.add(key)
        self.model.dropped.discard(key)
        self.model.dropped.update(set(self._register.batches[key].dropped) - self.model.stored)

    def _remember(self) -> None:
        self.settled_in.setdefault(self.generation, set()).update(self.model.settled)

    def _check(self, ack: Ack) -> None:
        for told in ack.epochs:
            batches = self._register.epochs.get(told.epoch, ())
            settled = self.model.settled
            wrong = [one.key for one in batches if told.covers(one.key.seq) and one.key not in settled]
            assert not wrong, f"I3: an ack settles {wrong}, which the store does not have"
            assert told.a <= told.c, f"I5: archived up to {told.a}, settled up to {told.c}"
            before = self._told.get((self._life, ack.generation, told.epoch), EpochMarks(told.epoch, 0))
            assert told.c >= before.c, f"I5: c of epoch {told.epoch} fell from {before.c} to {told.c}"
            assert told.a >= before.a, f"I5: a of epoch {told.epoch} fell from {before.a} to {told.a}"
            self._told[self._life, ack.generation, told.epoch] = told

    def _check_answers(self, keys: Sequence[Key], acks: Acks) -> None:
        """I7, I10: whatever came is settled by its ack, a repeat and poison too, so nothing keeps the window full."""
        for key in keys:
            told = [one for _, ack in acks for one in ack.epochs if one.epoch == key.epoch]
            batch = self._register.batches[key]
            name = "I10: poison" if batch.is_poison else "I7: batch"
            assert any(one.covers(key.seq) for one in told), f"{name} {key} came and is not acked"
            rejected = any(one.lo <= key.seq <= one.hi for marks in told for one in marks.rej)
            assert rejected or not batch.is_poison or key in self._waiting(), f"I10: poison {key} is not rejected"

    def _publish_archive(self) -> None:
        settled = {epoch: self._settled_up_to(epoch) for epoch in self._register.epochs}
        marks = {(GATEWAY, epoch): c for epoch, c in settled.items()}
        self._desk.books.ledger.archive(self._variant.archive_marks(marks))
        self._archived = _highest(self._archived, settled)
        self.archived_ever = _highest(self.archived_ever, settled)

    def _settled_up_to(self, epoch: int) -> int:
        return self._desk.books.ledger.entry(GATEWAY, epoch, now_us=self._clock.now_us()).settled.settled.head

    def _put_back(self, backup: Backup) -> None:
        self.close()
        for old in self._directory.glob("readings.db*"):
            old.unlink()
        shutil.copy(backup.path, self._path)
        self.model = deepcopy(backup.model)
        self._archived = dict(backup.archived)
        self._desk = self._open()

    def _open(self) -> Desk:
        database = Database(self._path, space=lambda _: _ROOM)
        return Desk(self._path, database=database, store=ChunkStore(database, self._clock), clock=self._clock)


def _highest(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {epoch: max(one.get(epoch, 0), other.get(epoch, 0)) for epoch in one.keys() | other.keys()}
