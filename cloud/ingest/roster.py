"""Roster: what each gateway last said of itself: hello, state, events; and signs that two of them share one name."""

import msgspec

from cloud.ingest.ledger import Ledger
from cloud.storage.chunks.database import Database
from protocols.batch import GatewayEvent, Key
from protocols.delivery import MAX_ACCOUNTS, EpochAccount, Hello, State

_CLONE_WINDOW_US = 10 * 60 * 1_000_000
_MAX_SKEW_US = 1 << 60


def is_cloned(*, now: int | None, last: int | None, one_before: int | None, since_last_us: int) -> bool:
    """Return whether epochs alternate (A, B, A): an agent that starts anew never comes back to an epoch."""
    return now is not None and now == one_before != last and since_last_us <= _CLONE_WINDOW_US


class Roster:
    """The gateways' own words; every call is made inside the transaction of the group it belongs to."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def seen(self, gateway: str, *, now_us: int) -> None:
        """Note that something came from this gateway."""
        self._database.execute(
            "insert into gateway values (?, '', 1, ?, ?, null, null, 1, 0, null, null, null, null, 0, 0, '[]') "
            "on conflict (name) do update set last_seen_us = excluded.last_seen_us",
            (gateway, now_us, now_us),
        )

    def hello(self, gateway: str, hello: Hello, *, now_us: int) -> bool:
        """Note a hello; return whether it looks as if a clone of the gateway were alive."""
        self.seen(gateway, now_us=now_us)
        (last, one_before, hello_us) = next(
            self._database.execute("select epoch, previous_epoch, hello_us from gateway where name = ?", (gateway,))
        )
        opened = next((one.epoch for one in hello.epochs if not one.closed), last)
        since_us = now_us - (hello_us or now_us)
        cloned = is_cloned(now=opened, last=last, one_before=one_before, since_last_us=since_us)
        if opened != last:
            one_before = last
        skew_us = max(-_MAX_SKEW_US, min(now_us - hello.wall_us, _MAX_SKEW_US))
        self._database.execute(
            "update gateway set version = ?, is_online = 1, hello_us = ?, clock_skew_us = ?, clock_is_set = ?, "
            "generation = ?, epoch = ?, previous_epoch = ?, buffered = ?, "
            "cloned_us = iif(?, ?, cloned_us) where name = ?",
            (
                *(hello.version[:64], now_us, skew_us, hello.clock_is_set, min(hello.generation, _MAX_SKEW_US)),
                *(opened, one_before, min(hello.buffered_readings, _MAX_SKEW_US), cloned, now_us, gateway),
            ),
        )
        if not hello.clock_is_set and opened is not None:
            entry = self._ledger.entry(gateway, opened, now_us=now_us)
            entry.account = entry.account.with_clock_skew(skew_us)
        return cloned

    def state(self, gateway: str, state: State, *, is_retained: bool, now_us: int) -> None:
        """Note a state; a retained one, or a will, is no sign of life."""
        if state.online and not is_retained:
            self.seen(gateway, now_us=now_us)
        statement = (
            "insert into gateway values (?, ?, ?, ?, ?, null, null, 1, 0, ?, null, null, null, ?, 0, ?) "
            "on conflict (name) do update set is_online = excluded.is_online, "
            "skipped_polls = iif(excluded.is_online, excluded.skipped_polls, skipped_polls), "
            "version = iif(excluded.version = '', version, excluded.version), "
            "models = iif(excluded.is_online, excluded.models, models)"
        )
        models = msgspec.json.encode(state.models).decode()
        row = (gateway, state.version[:64], state.online, now_us, now_us, state.epoch, state.skipped_polls, models)
        self._database.execute(statement, row)
        told_us = None if is_retained else now_us
        for account in state.accounts:
            self._account(gateway, account, running=state.epoch, told_us=told_us, now_us=now_us)
        if state.online and not is_retained and len(state.accounts) < MAX_ACCOUNTS:
            self._forget_others(gateway, state, now_us=now_us)

    def conflict(self, gateway: str, *, now_us: int) -> None:
        """Note that two batches came under one key."""
        self._database.execute("update gateway set conflict_us = ? where name = ?", (now_us, gateway))

    def event(self, gateway: str, key: Key, event: GatewayEvent) -> None:
        """Keep what happened on a gateway."""
        detail = msgspec.json.encode(event.detail).decode()
        self._database.execute(
            "insert or ignore into gateway_event (gateway, epoch, seq, at_us, name, device, detail) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            (gateway, key.epoch, key.seq, event.at_us, event.name, event.device, detail),
        )

    def _account(self, gateway: str, told: EpochAccount, *, running: int, told_us: int | None, now_us: int) -> None:
        """Take over what the gateway counts of an epoch, unless it is older than what it said before.

        Only of a run that is over a smaller count is news: the buffer lost a part of it, or is an old copy.
        """
        entry = self._ledger.entry(gateway, told.epoch, now_us=now_us)
        if told.sealed >= entry.account.sealed:
            entry.account = entry.account.as_told(
                sealed=told.sealed, acked=told.acked, waiting=told.waiting, given_up=told.dropped, told_us=told_us
            )
        elif told.epoch != running and told_us is not None:
            entry.account = entry.account.as_left(waiting=told.waiting, given_up=told.dropped, told_us=told_us)

    def _forget_others(self, gateway: str, state: State, *, now_us: int) -> None:
        """Note that nothing waits any more of earlier runs that the gateway does not name: its buffer is another."""
        statement = (
            "select epoch from ledger_epoch where gateway = ? and waiting > 0 "
            "and id < (select id from ledger_epoch where gateway = ? and epoch = ?)"
        )
        named = {account.epoch for account in state.accounts}
        for (epoch,) in self._database.execute(statement, (gateway, gateway, state.epoch)):
            if epoch not in named:
                entry = self._ledger.entry(gateway, epoch, now_us=now_us)
                entry.account = entry.account.as_left(waiting=0, given_up=0, told_us=now_us)
