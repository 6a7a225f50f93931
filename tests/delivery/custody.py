"""Custody: who has every batch, who let it go and whether that was lawful; the books behind I1, I3 and I5 to I8.

A batch may be lost only together with the last place that had to keep it: with a buffer that was replaced by an older
copy, or with a store that went back to a backup, after the gateway had let its safety copy go by the rules.
A declaration of drops is a batch like any other in this: where it is lost so, what it declared is unknown to all
without anybody's fault, unless a buffer still has it.
"""

from collections.abc import Iterable, Sequence

from edge_agent.buffers.retention import policy_cap, row_bytes
from protocols.batch import BatchKind, Key
from protocols.delivery import EpochMarks
from tests.delivery.agent import CAP, Agent
from tests.delivery.made import Batch, Register
from tests.delivery.store import Backup, Store

WINDOW = 8
SHORTEST_PATIENCE_S = 4.0
_PAGE = 4096


class Custody:
    """excused: batches whose loss is nobody's fault; released: those that gateways purged by the rules."""

    def __init__(self, register: Register, store: Store) -> None:
        self._register = register
        self._store = store
        self._held: dict[Agent, set[Key]] = {}
        self._marks: dict[Agent, tuple[tuple[int, int], dict[int, EpochMarks]]] = {}
        self._excused: set[Key] = set()
        self._released: set[Key] = set()

    def look(self, agent: Agent) -> None:
        """Note what an agent committed and what it let go since the last look."""
        before = self._held.get(agent, set())
        fresh = agent.due(skip=frozenset(before))
        for batch in sorted(fresh, key=lambda one: one.key):
            self._register.note(batch)
        held = set(agent.retained())
        gone = before - held - self._register.declared(held)
        peak = self._bytes(held | before)
        lawful = {key for key in gone if self._is_lawful(agent, key, peak=peak, fresh=len(fresh))}
        self._held[agent] = held
        self._released |= lawful
        self._excuse(lawful - self._store.model.settled)

    def replaced(self, agent: Agent) -> None:
        """Note that an agent goes on with another copy of a buffer; what only the one before had is lost."""
        lost = self._held.pop(agent, set())
        self._marks.pop(agent, None)
        self.look(agent)
        self._excuse(lost - self._held[agent])
        self._excused -= self._held[agent]

    def ended(self, agent: Agent) -> None:
        """Note that an agent is gone for good with all that it had."""
        self._marks.pop(agent, None)
        self._excuse(self._held.pop(agent))

    def store_goes_back(self, backup: Backup) -> None:
        """Note what a store loses that nobody had to keep for it: all that was purged, but not what was archived."""
        kept = {key for key in self._released if key.seq <= backup.archived.get(key.epoch, 0)}
        self._excuse(self._released - kept - backup.model.stored)

    def check_nothing_is_lost(self) -> None:
        """I1, for every batch ever committed."""
        kept = set[Key]().union(self._store.model.stored, *self._held.values())
        safe = kept | self._register.declared(kept) | self._excused
        lost = self._register.batches.keys() - safe
        assert not lost, f"I1: {sorted(lost)} are neither in a buffer nor in the store"

    def check_declarations_are_few(self, agent: Agent) -> None:
        """I8: what is declared crowds nothing out, however long the buffer has been full."""
        drops = [key for key in self._held[agent] if self._register.batches[key].kind is BatchKind.DROP]
        assert self._bytes(drops) <= CAP // 4, f"I8: {len(drops)} declarations take a quarter of the buffer"

    def check_marks_are_true(self, agent: Agent) -> None:
        """I3 in a buffer: what is acked in its generation was committed by a store of that generation."""
        settled = self._store.settled_in.get(agent.buffer.generation, set())
        for marks in agent.buffer.marks():
            wrong = [one.key for one in self._of(marks.epoch) if marks.covers(one.key.seq) and one.key not in settled]
            assert not wrong, f"I3: {wrong} are acked, which no store of generation {agent.buffer.generation} had"

    def check_marks_only_rise(self, agent: Agent) -> None:
        """I5 in a buffer: within a generation c and a never fall, unless the store was found to have gone back."""
        era = (agent.buffer.generation, agent.unacks)
        marks = {one.epoch: one for one in agent.buffer.marks()}
        (known_era, known), self._marks[agent] = self._marks.get(agent, (era, {})), (era, marks)
        for epoch, now in marks.items():
            before = known.get(epoch, now) if era == known_era else now
            assert now.a <= now.c, f"I5: archived up to {now.a}, settled up to {now.c}"
            assert now.c >= before.c, f"I5: c of epoch {epoch} fell from {before.c} to {now.c}"
            assert now.a >= before.a, f"I5: a of epoch {epoch} fell from {before.a} to {now.a}"

    @staticmethod
    def check_window(agent: Agent, now_s: float) -> None:
        """I6: by the outbox's own count, and by what went out and was neither answered nor can be given up yet."""
        assert len(agent.in_flight) <= WINDOW, f"I6: {len(agent.in_flight)} in flight"
        flying = [at_s for at_s in agent.sent_s.values() if at_s > now_s - SHORTEST_PATIENCE_S]
        assert len(flying) <= WINDOW, f"I6: {len(flying)} batches wait for their acks"

    def check_accounts(self, agent: Agent) -> None:
        """I8 in a buffer, in readings: sealed = acked + waiting + dropped; what waits is held and not acked."""
        marks = {one.epoch: one for one in agent.buffer.marks()}
        last = {one.epoch: one.hi for one in agent.buffer.epochs()}
        for account in agent.buffer.ledger().epochs:
            parts = account.acked + account.waiting + account.dropped
            assert account.sealed == parts, f"I8: {account.sealed} sealed, {parts} accounted for"
            if account.epoch in last:
                self._check_epoch(agent, account.epoch, marks[account.epoch], account.waiting)
                sealed = sum(one.readings for one in self._of(account.epoch) if one.key.seq <= last[account.epoch])
                assert account.sealed == sealed, f"I8: {account.sealed} counted as sealed, {sealed} were"

    def check_all_arrived(self, agents: Sequence[Agent]) -> None:
        """I7 at the end: nothing waits, all that is held is settled, and what is stored could be decoded."""
        self.check_nothing_is_lost()
        held = set[Key]()
        for agent in agents:
            waiting = [batch.key for batch in agent.due()]
            assert not waiting, f"I7: {waiting} wait for ever"
            held |= self._held[agent]
        missing = held - self._store.model.settled
        assert not missing, f"I3: {sorted(missing)} are acked, but not in the store of this generation"
        kept = held | self._store.model.stored
        tables = {
            one.table for one in self._register.batches.values() if one.kind is BatchKind.TAGS and one.key in kept
        }
        assert not self._store.needed() & tables, "I7: a tag table that somebody has never comes to the store"

    def _check_epoch(self, agent: Agent, epoch: int, marks: EpochMarks, counted: int) -> None:
        open_keys = [key for key in self._held[agent] if key.epoch == epoch and not marks.covers(key.seq)]
        waiting = self._register.readings(open_keys)
        assert counted == waiting, f"I8: {counted} counted as waiting, {waiting} are"

    def _excuse(self, keys: Iterable[Key]) -> None:
        held = set[Key]().union(*self._held.values())
        gone = set(keys) - held
        self._excused |= gone | (self._register.declared(gone) - held)

    def _is_lawful(self, agent: Agent, key: Key, *, peak: int, fresh: int) -> bool:
        """Return whether the rules let this acked batch go; peak: bytes that lay in the buffer before it went."""
        cap = policy_cap(CAP)
        was_settled = any(key in settled for settled in self._store.settled_in.values())
        if peak <= cap // 4 or not was_settled:
            return False
        is_archiving = any(marks.a for marks in agent.buffer.marks())
        is_forced = peak + fresh * _PAGE > cap
        is_tags = self._register.batches[key].kind is BatchKind.TAGS
        return not is_archiving or is_forced or is_tags or key.seq <= self._store.archived_ever.get(key.epoch, 0)

    def _bytes(self, keys: Iterable[Key]) -> int:
        return sum(row_bytes(len(self._register.batches[key].frame)) for key in keys)

    def _of(self, epoch: int) -> Sequence[Batch]:
        return self._register.epochs.get(epoch, [])
