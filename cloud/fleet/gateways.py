"""Gateways: every Gateway that ever spoke, how it is, and where its readings are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from cloud.domain.device_status import Presence
from cloud.domain.imbalance import Imbalance
from cloud.errors import NotFound
from cloud.fleet.accounting import Accounting, LedgerRow, account, total
from cloud.fleet.standings import read_standings
from cloud.storage.chunks.database import Database
from protocols.wanted import ModelStanding

_ACCOUNT = ", ".join(one.name for one in fields(LedgerRow))
_SETTLED = "stored + replaced + duplicate + quarantined + undecoded + dropped"
_IS_UNEVEN = f"(sealed > waiting + {_SETTLED} or ahead > 0)"
_UNEVEN = f"select gateway, {_ACCOUNT} from ledger_epoch where {_IS_UNEVEN}"  # noqa: S608 our names
_SUMS = ", ".join(
    f"coalesce(sum({one}), 0)"
    for one in (
        f"max(sealed, {_SETTLED})",
        *("stored", "replaced", "duplicate", "quarantined", "undecoded", "dropped"),
        f"max(0, sealed - ({_SETTLED}))",
        *("0", "resent", "conflicting"),
    )
)
"""The numbers of Accounting, in its order, over epochs that add up."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One Gateway as it last told; times in microseconds since the epoch, None where it never was.

    clock_skew_us: how far its clock was behind ours at its last hello, with the way of the message in it; generation:
    of the store, as it believed then; cloned_us, conflict_us: when two gateways last seemed to share this name; models:
    how its Devices are judged.
    """

    name: str
    version: str
    is_online: bool
    first_seen_us: int
    last_seen_us: int
    clock_skew_us: int | None
    clock_is_set: bool
    generation: int
    epoch: int | None
    cloned_us: int | None
    conflict_us: int | None
    skipped_polls: int
    models: tuple[ModelStanding, ...]
    epochs: tuple[Accounting, ...]
    total: Accounting


_NAMES = tuple(one.name for one in fields(Gateway) if one.name not in ("epochs", "total"))
_COLUMNS = ", ".join(_NAMES)


class Gateways:
    """Reads what ingest writes; the database may be open read-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Gateway]:
        """Return all, in order of their names; raise Unavailable."""
        with self._database.snapshot():
            rows = tuple(self._rows(f"select {_COLUMNS} from gateway order by name"))  # noqa: S608 our names
            return [self._gateway(row) for row in rows]

    def get(self, name: str) -> Gateway:
        """Return one by its name; raise NotFound or Unavailable."""
        with self._database.snapshot():
            rows = self._rows(f"select {_COLUMNS} from gateway where name = ?", name)  # noqa: S608 our names
            row = next(iter(rows), None)
            if row is None:
                raise NotFound(f"no gateway named {name!r} has ever spoken", code="GATEWAY_NOT_FOUND")
            return self._gateway(row)

    def presence(self) -> Presence:
        """Return who is there and who is gone, by their own word and the broker's; raise Unavailable."""
        told = dict(self._rows("select name, is_online from gateway"))
        there = frozenset(name for name, is_online in told.items() if is_online)
        return Presence(there, frozenset(told) - there)

    def uneven(self) -> Sequence[Imbalance]:
        """Return every epoch whose readings do not add up now, be it that they are on their way; raise Unavailable."""
        return [accounting.imbalance(gateway) for gateway, accounting in self._suspects() if not accounting.adds_up]

    def count(self) -> tuple[int, int]:
        """Return how many Gateways ever spoke, and how many of them are there; raise Unavailable."""
        ((known, there),) = self._rows("select count(*), coalesce(sum(is_online), 0) from gateway")
        return known, there

    def total(self) -> Accounting:
        """Return the accounting of all Gateways together; raise Unavailable."""
        with self._database.snapshot():
            (sums,) = self._rows(f"select {_SUMS} from ledger_epoch where not {_IS_UNEVEN}")  # noqa: S608 our names
            return total([Accounting(0, *sums), *(accounting for _, accounting in self._suspects())])

    def _suspects(self) -> Iterable[tuple[str, Accounting]]:
        return ((gateway, account(LedgerRow(*row))) for gateway, *row in self._rows(_UNEVEN))

    def _rows(self, statement: str, *parameters: str) -> Iterable[tuple[Any, ...]]:
        return self._database.execute(statement, parameters)

    def _gateway(self, row: tuple[Any, ...]) -> Gateway:
        statement = f"select {_ACCOUNT} from ledger_epoch where gateway = ? order by id desc"  # noqa: S608 our names
        epochs = tuple(account(LedgerRow(*found)) for found in self._rows(statement, row[0]))
        told: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
        told["is_online"], told["clock_is_set"] = bool(told["is_online"]), bool(told["clock_is_set"])
        told["models"] = read_standings(told["models"])
        return Gateway(**told, epochs=epochs, total=total(epochs))
