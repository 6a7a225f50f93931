"""Ledger: which batches are settled, what became of their readings, and the store's generation.

It is the dedupe: intervals are kept for ever, (key, crc) for 30 days. Everything it learns in a transaction of its
Database becomes durable with that transaction; `save` writes what changed, and a rollback makes it forget what it had
in memory (`Database.undone` says so). One thread.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from cloud.ingest.intervals import Intervals
from cloud.ingest.settle import Settled, Verdict, generation_after_restore, raised_generation, still_dropped
from cloud.storage.chunks.database import Database

_MAX_COUNT = (1 << 62) - 1
_KEPT_EPOCHS = 2048
_PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the readings of one epoch; see `schema.LEDGER` for what each number means."""

    stored: int = 0
    replaced: int = 0
    duplicate: int = 0
    resent: int = 0
    quarantined: int = 0
    undecoded: int = 0
    conflicting: int = 0
    dropped: int = 0
    declared: int = 0
    archived: int = 0
    sealed: int = 0
    acked: int = 0
    waiting: int = 0
    given_up: int = 0
    unset_clock_skew_us: int | None = None
    told_us: int | None = None
    ahead: int = 0

    @property
    def settled(self) -> int:
        """Return the readings that need not come again."""
        kept = self.stored + self.replaced + self.duplicate + self.quarantined + self.undecoded
        return kept + self.dropped

    def plus(self, **more: int) -> "Account":
        """Return the account with these numbers added; they stay between 0 and what SQLite can hold."""
        sums = {name: getattr(self, name) + count for name, count in more.items()}
        return replace(self, **{name: _clamped(total) for name, total in sums.items()})

    def as_told(self, *, sealed: int, acked: int, waiting: int, given_up: int, told_us: int | None) -> "Account":
        """Return the account with the gateway's own count in it; told_us: None where nobody knows how old it is."""
        told = {"sealed": sealed, "acked": acked, "waiting": waiting, "given_up": given_up}
        told["ahead"] = self.settled - sealed
        counts = {name: _clamped(count) for name, count in told.items()}
        return replace(self, **counts, told_us=told_us or self.told_us)

    def as_left(self, *, waiting: int, given_up: int, told_us: int) -> "Account":
        """Return the account where the gateway has less by now than it once told: what it sealed stays sealed."""
        given_up = _clamped(max(given_up, self.given_up))
        return replace(self, waiting=_clamped(waiting), given_up=given_up, told_us=told_us)

    def with_clock_skew(self, skew_us: int) -> "Account":
        """Return the account of an epoch whose clock was not set, and is behind ours by so much."""
        return replace(self, unset_clock_skew_us=skew_us)


def _clamped(count: int) -> int:
    return max(0, min(count, _MAX_COUNT))


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
        entry.settled = entry.settled.store(seq)
        entry.fresh[seq] = (crc, count)

    def drop(self, entry: Entry, lo: int, hi: int, readings: int) -> None:
        """Note that the gateway gave up lo..hi with so many readings, except for what the store has."""
        kept = self._kept_readings(entry, lo, hi) if entry.settled.stored.gaps(lo, hi) != ((lo, hi),) else 0
        entry.settled = entry.settled.drop(lo, hi)
        entry.account = entry.account.plus(declared=readings, dropped=still_dropped(readings, kept))

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
                entry.account = replace(entry.account, archived=_clamped(marks[key]))
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

    def _kept_readings(self, entry: Entry, lo: int, hi: int) -> int:
        statement = "select coalesce(sum(count), 0) from ledger_batch where epoch_id = ? and seq between ? and ?"
        (written,) = next(self._database.execute(statement, (entry.id, lo, hi)))
        return int(written) + sum(count for seq, (_, count) in entry.fresh.items() if lo <= seq <= hi)
