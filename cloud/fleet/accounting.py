"""Accounting: where the readings of an epoch are, by the ledger and by the gateway's own count; pure.

Law (I8): made = stored + replaced + duplicates + quarantined + undecoded + dropped + buffered + lost, always. The
gateway's count is as old as its last State, so that the ledger may already know of more than the gateway told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from cloud.domain.imbalance import Imbalance


@dataclass(frozen=True, slots=True)
class Accounting:
    """Readings made and what became of them; epoch 0 is the sum over all.

    stored, replaced: in the store, as new readings or in the place of another value; duplicates: equal to what was
    there; quarantined: kept aside, raw; undecoded: kept raw until their tag table comes; dropped: given up by the
    gateway for room; buffered: still there; lost: nobody has them, which must never be. Besides: resent, conflicting;
    ahead: settled, when the gateway last told, beyond what it had sealed, which must never stay; told: its own words.
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
    ahead: int = 0
    told: "Told | None" = None

    @property
    def settled(self) -> int:
        """Return the readings that need not come again."""
        return self.made - self.buffered - self.lost

    @property
    def adds_up(self) -> bool:
        """Return whether every reading that was sealed is somewhere, and no other is."""
        return not self.lost and not self.ahead

    def imbalance(self, gateway: str) -> Imbalance:
        """Return what does not add up."""
        sealed, told_us = (self.told.sealed, self.told.at_us) if self.told else (self.made, None)
        return Imbalance(gateway, self.epoch, sealed, self.settled, self.buffered, self.lost, self.ahead, told_us)


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway itself last said of an epoch, in readings; at_us: by the cloud's clock, None where unknown."""

    at_us: int | None
    sealed: int
    acked: int
    waiting: int
    dropped: int


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
    acked: int = 0
    told_us: int | None = None
    ahead: int = 0

    @property
    def was_told(self) -> bool:
        """Return whether the gateway ever counted this epoch for us."""
        return self.told_us is not None or self.sealed > 0


COUNTS = tuple(one.name for one in fields(Accounting) if one.name not in ("epoch", "told"))
"""The numbers of an Accounting."""


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
        ahead=max(0, min(row.ahead, settled - row.sealed)),
        told=Told(row.told_us, row.sealed, row.acked, row.waiting, row.given_up) if row.was_told else None,
    )


def total(parts: Iterable[Accounting]) -> Accounting:
    """Return the sum over epochs; what was told when is each epoch's own."""
    kept = tuple(parts)
    return Accounting(0, **{name: sum(getattr(part, name) for part in kept) for name in COUNTS})
