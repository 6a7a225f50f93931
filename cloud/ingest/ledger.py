"""Ledger: which batches are settled, what became of their readings, and the store's generation.

It is the dedupe: intervals are kept for ever, (key, crc) for 30 days. Everything it learns in a transaction of its
Database becomes durable with that transaction; `save` writes what changed, and a rollback makes it forget what it had
in memory (`Database.undone` says so). One thread.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from cloud.ingest.account import Account, clamped
from cloud.ingest.declared import Declared
from cloud.ingest.intervals import Intervals
from cloud.ingest.settle import (
    Settled,
    Verdict,
    generation_after_restore,
    raised_generation,
    readings_within,
    still_dropped,
)
from cloud.storage.chunks.database import Database
from protocols.batch import Drop

_KEPT_EPOCHS = 2048
_PRUNED_AT_ONCE = 1000


_COLUMNS = tuple(one.name for one in fields(Account))
_SELECT = f"select id, {', '.join(_COLUMNS)} from ledger_epoch where gateway = ? and epoch = ?"  # noqa: S608 our names
_UPDATE = f"update ledger_epoch set {', '.join(f'{name} = ?' for name in _COLUMNS)} where id = ?"  # noqa: S608 the same
_INSERT = (
    f"insert into ledger_epoch (gateway, epoch, first_us, {', '.join(_COLUMNS)}) "  # noqa: S608 the same
    f"values (?, ?, ?{', ?' * len(_COLUMNS)}) returning id"
)


@dataclass(slots=True)
class Entry:
    """What the ledger knows of one epoch of a gateway; `fresh`: batches of this transaction, seq -> (crc, count)."""

    id: int
    gateway: str
    epoch: int
    settled: Settled
    account: Account
    saved_settled: Settled
    saved_account: Account
    fresh: dict[int, tuple[int, int]] = field(default_factory=dict)


class Ledger:
    """The dedupe and the accounts; now_s: Unix seconds, the generation of a store that is new."""

    def __init__(self, database: Database, *, now_s: int) -> None:
        self._database = database
        self._declared = Declared(database)
        self._entries: OrderedDict[tuple[str, int], Entry] = OrderedDict()
        self._undone = database.undone
        self._pruned_epoch = 0
        with database.transaction(when_low=True):
            database.execute("insert or ignore into ledger_state values (1, ?)", (now_s,))
        self._generation = self._stored_generation()

    @property
    def generation(self) -> int:
        """Return the store's generation, raised at each restore."""
        self._forget_undone()
        return self._generation

    def believe(self, believed: int) -> int:
        """Return the generation after a hello that believes this one, raised above it where needed."""
        return self._raise(raised_generation(self.generation, believed))

    def restored(self, *, now_s: int, above: int = 0) -> int:
        """Return the generation of this store from now on, which was restored from a backup at these Unix seconds.

        above: the generation of the store that it replaces, where that can still be read.
        """
        return self._raise(generation_after_restore(max(self.generation, above), now_s))

    def entry(self, gateway: str, epoch: int, *, now_us: int) -> Entry:
        """Return what is known of an epoch, making it known where it is new."""
        self._forget_undone()
        found = self._entries.get((gateway, epoch))
        if found is None:
            found = self._load(gateway, epoch) or self._create(gateway, epoch, now_us)
            self._entries[gateway, epoch] = found
        self._entries.move_to_end((gateway, epoch))
        return found

    def judge(self, entry: Entry, seq: int, crc: int) -> Verdict:
        """Return what a batch with this key and content is to the store."""
        if seq not in entry.settled.stored:
            return Verdict.NEW
        known = self._batch(entry, seq)
        return entry.settled.judge(seq, crc, known[0] if known else None)

    def keep(self, entry: Entry, seq: int, *, crc: int, count: int) -> None:
        """Note that the store keeps this batch of so many readings; its dropped readings are fewer from now on."""
        if seq in entry.settled.dropped:
            entry.account = entry.account.plus(dropped=-count)
            self._declared.take_out(entry.id, seq, count)
        entry.settled = entry.settled.store(seq)
        entry.fresh[seq] = (crc, count)

    def drop(self, entry: Entry, drop: Drop) -> None:
        """Note that the gateway gave batches up, except for what the store has; what was given up before counts once.

        No row is needed for what each batch held: should it come after all, it says so itself, and `keep` subtracts it.
        """
        if drop.counts:
            news = {one: readings_within(drop, [one]) for one in entry.settled.unsettled(drop.lo, drop.hi)}
            more = sum(news.values())
            declared = readings_within(drop, entry.settled.dropped.gaps(drop.lo, drop.hi))
            for (lo, hi), readings in news.items():
                self._declared.add(entry.id, lo, hi, readings)
        else:
            more, declared = self._at_least_dropped(entry, drop), drop.readings
            self._declared.join(entry.id, drop.lo, drop.hi, more)
        entry.settled = entry.settled.drop(drop.lo, drop.hi)
        entry.account = entry.account.plus(declared=declared, dropped=more)

    def save(self, *, now_us: int) -> None:
        """Write everything that changed; to be called inside the transaction, last."""
        for entry in self._entries.values():
            if entry.fresh:
                rows = [(entry.id, seq, crc, count, now_us) for seq, (crc, count) in entry.fresh.items()]
                self._database.executemany("insert or replace into ledger_batch values (?, ?, ?, ?, ?)", rows)
                entry.fresh = {}
            if entry.settled is not entry.saved_settled:
                self._save_intervals(entry)
            if entry.account is not entry.saved_account:
                self._save_account(entry)
        while len(self._entries) > _KEPT_EPOCHS:
            self._entries.popitem(last=False)

    def archive(self, marks: Mapping[tuple[str, int], int]) -> Sequence[Entry]:
        """Note up to which seq the batches of (gateway, epoch) are in a backup, and return whose mark rose.

        A mark never falls; what the ledger does not know stays unknown. Durable with the transaction it is called in.
        """
        self._forget_undone()
        found = {key: self._entries.get(key) or self._load(*key) for key in marks}
        risen = [one for key, one in found.items() if one is not None and marks[key] > one.account.archived]
        with self._database.transaction():
            for entry in risen:
                key = (entry.gateway, entry.epoch)
                self._entries[key] = entry
                entry.account = replace(entry.account, archived=clamped(marks[key]))
                self._save_account(entry)
        return risen

    def prune(self, *, before_us: int) -> bool:
        """Forget some of the (key, crc) that came before this time; return whether there may be more.

        One epoch a call and at most 1000 batches, so that it fits between two groups.
        """
        statement = "select min(epoch_id) from ledger_batch where epoch_id > ?"
        (epoch_id,) = next(self._database.execute(statement, (self._pruned_epoch,)))
        self._pruned_epoch = epoch_id or 0
        if epoch_id is None:
            return False
        oldest = "select seq from ledger_batch where epoch_id = ? order by seq limit ?"
        with self._database.transaction(when_low=True):
            self._database.execute(
                f"delete from ledger_batch where epoch_id = ? and received_us < ? and seq in ({oldest})",  # noqa: S608
                (epoch_id, before_us, epoch_id, _PRUNED_AT_ONCE),
            )
        return True

    def _raise(self, generation: int) -> int:
        if generation != self._generation:
            self._database.execute("update ledger_state set generation = ?", (generation,))
            self._generation = generation
        return generation

    def _forget_undone(self) -> None:
        if self._undone != self._database.undone:
            self._undone = self._database.undone
            self._entries.clear()
            self._generation = self._stored_generation()

    def _stored_generation(self) -> int:
        return int(next(self._database.execute("select generation from ledger_state"))[0])

    def _load(self, gateway: str, epoch: int) -> Entry | None:
        row = next(self._database.execute(_SELECT, (gateway, epoch)), None)
        if row is None:
            return None
        account = Account(*row[1:])
        settled = Settled(Intervals(tuple(self._ranges(row[0], 0))), Intervals(tuple(self._ranges(row[0], 1))))
        return Entry(row[0], gateway, epoch, settled, account, settled, account)

    def _create(self, gateway: str, epoch: int, now_us: int) -> Entry:
        settled, account = Settled(), Account()
        values = [getattr(account, name) for name in _COLUMNS]
        (made,) = next(self._database.execute(_INSERT, (gateway, epoch, now_us, *values)))
        return Entry(made, gateway, epoch, settled, account, settled, account)

    def _ranges(self, epoch_id: int, is_dropped: int) -> Iterator[tuple[int, int]]:
        statement = "select lo, hi from ledger_interval where epoch_id = ? and is_dropped = ? order by lo"
        return ((lo, hi) for lo, hi in self._database.execute(statement, (epoch_id, is_dropped)))

    def _save_account(self, entry: Entry) -> None:
        values = [getattr(entry.account, name) for name in _COLUMNS]
        self._database.execute(_UPDATE, (*values, entry.id))
        entry.saved_account = entry.account

    def _save_intervals(self, entry: Entry) -> None:
        pairs = (
            (0, entry.saved_settled.stored, entry.settled.stored),
            (1, entry.saved_settled.dropped, entry.settled.dropped),
        )
        for is_dropped, before, after in pairs:
            gone = {lo for lo, _ in before.ranges} - {lo for lo, _ in after.ranges}
            new = set(after.ranges) - set(before.ranges)
            self._database.executemany(
                "delete from ledger_interval where epoch_id = ? and is_dropped = ? and lo = ?",
                [(entry.id, is_dropped, lo) for lo in gone],
            )
            self._database.executemany(
                "insert or replace into ledger_interval values (?, ?, ?, ?)",
                [(entry.id, is_dropped, lo, hi) for lo, hi in new],
            )
        entry.saved_settled = entry.settled

    def _batch(self, entry: Entry, seq: int) -> tuple[int, int] | None:
        if seq in entry.fresh:
            return entry.fresh[seq]
        statement = "select crc, count from ledger_batch where epoch_id = ? and seq = ?"
        return next(((crc, count) for crc, count in self._database.execute(statement, (entry.id, seq))), None)

    def _at_least_dropped(self, entry: Entry, drop: Drop) -> int:
        """Return by how much `dropped` must rise at the least for a Drop with one sum.

        Exact where all that was declared of its range before lies in it as a whole. Else never by too much, which would
        hide what is lost: all that is dropped holds at least what was counted so far, and at least what this Drop says
        without what is stored. Where it is forgotten what stored batches of the range held, it is nothing.
        """
        gaps = entry.settled.stored.gaps(drop.lo, drop.hi)
        stored = drop.hi - drop.lo + 1 - sum(hi - lo + 1 for lo, hi in gaps)
        known, kept = self._kept(entry, drop.lo, drop.hi) if stored else (0, 0)
        if known < stored:
            return 0
        missing = sum(hi - lo + 1 for lo, hi in entry.settled.dropped.gaps(drop.lo, drop.hi))
        given_up = drop.hi - drop.lo + 1 - missing
        before = self._declared.within(entry.id, drop.lo, drop.hi, batches=given_up)
        return still_dropped(drop.readings, kept + (entry.account.dropped if before is None else before))

    def _kept(self, entry: Entry, lo: int, hi: int) -> tuple[int, int]:
        """Return how many batches of lo..hi the store is known to have, and their readings."""
        statement = (
            "select count(*), coalesce(sum(count), 0) from ledger_batch where epoch_id = ? and seq between ? and ?"
        )
        batches, readings = next(self._database.execute(statement, (entry.id, lo, hi)))
        fresh = [count for seq, (_, count) in entry.fresh.items() if lo <= seq <= hi]
        return batches + len(fresh), readings + sum(fresh)
