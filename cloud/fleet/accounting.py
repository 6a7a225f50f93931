"""Accounting: where the readings of an epoch are, by the ledger and by the gateway's own count; pure.

Law (I8): made = stored + replaced + duplicates + quarantined + undecoded + dropped + buffered + lost, always. The
gateway's count is as old as its last State, so that the ledger may already know of more than the gateway told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Accounting:
    """Readings made and what became of them; epoch 0 is the sum over all.

    stored, replaced: in the store, as new readings or in the place of another value; duplicates: equal to what was
    there; quarantined: kept aside, raw; undecoded: kept raw until their tag table comes; dropped: given up by the
    gateway for room; buffered: still there; lost: nobody has them, which must never be. Besides: resent, conflicting.
    """

    epoch: int
    made: int = 0
    stored: int = 0
    replaced: int = 0
    duplicates: int = 0
    quarantined: int = 0
    undecoded: int = 0
    dropped: int = 0
    buffered: int = 0
    lost: int = 0
    resent: int = 0
    conflicting: int = 0


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger holds of one epoch; `sealed` and what follows: the gateway's own words."""

    epoch: int
    stored: int
    replaced: int
    duplicate: int
    resent: int
    quarantined: int
    undecoded: int
    conflicting: int
    dropped: int
    declared: int
    sealed: int
    waiting: int
    given_up: int


def account(row: LedgerRow) -> Accounting:
    """Return the accounting of one epoch."""
    settled = row.stored + row.replaced + row.duplicate + row.quarantined + row.undecoded + row.dropped
    missing = max(0, row.sealed - settled)
    undeclared = min(max(0, row.given_up - row.declared), max(0, missing - row.waiting))
    buffered = min(row.waiting, missing)
    return Accounting(
        epoch=row.epoch,
        made=max(row.sealed, settled),
        stored=row.stored,
        replaced=row.replaced,
        duplicates=row.duplicate,
        quarantined=row.quarantined,
        undecoded=row.undecoded,
        dropped=row.dropped + undeclared,
        buffered=buffered,
        lost=missing - buffered - undeclared,
        resent=row.resent,
        conflicting=row.conflicting,
    )


def total(parts: Iterable[Accounting]) -> Accounting:
    """Return the sum over epochs."""
    kept = tuple(parts)
    names = [one.name for one in fields(Accounting) if one.name != "epoch"]
    return Accounting(0, **{name: sum(getattr(part, name) for part in kept) for name in names})
