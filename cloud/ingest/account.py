"""Account: what became of the readings of one epoch of a gateway, and its own count of them; pure."""

from dataclasses import dataclass, replace

_MAX_COUNT = (1 << 62) - 1


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
        return replace(self, **{name: clamped(total) for name, total in sums.items()})

    def as_told(self, *, sealed: int, acked: int, waiting: int, given_up: int, told_us: int | None) -> "Account":
        """Return the account with the gateway's own count in it; told_us: None where nobody knows how old it is."""
        told = {"sealed": sealed, "acked": acked, "waiting": waiting, "given_up": given_up}
        told["ahead"] = self.settled - sealed
        counts = {name: clamped(count) for name, count in told.items()}
        return replace(self, **counts, told_us=told_us or self.told_us)

    def as_left(self, *, waiting: int, given_up: int, told_us: int) -> "Account":
        """Return the account where the gateway has less by now than it once told: what it sealed stays sealed."""
        given_up = clamped(max(given_up, self.given_up))
        return replace(self, waiting=clamped(waiting), given_up=given_up, told_us=told_us)

    def with_clock_skew(self, skew_us: int) -> "Account":
        """Return the account of an epoch whose clock was not set, and is behind ours by so much."""
        return replace(self, unset_clock_skew_us=skew_us)


def clamped(count: int) -> int:
    """Return the count, as near to it as a column can hold."""
    return max(0, min(count, _MAX_COUNT))
