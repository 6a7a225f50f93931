"""Conditions: what a network does to the bytes that it carries; values only, to be logged and repeated."""

from dataclasses import asdict, dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Way:
    """One direction. stalls: holds everything back, and lets go of it later; swallows: what comes is gone.

    A connection of which something was swallowed is dead in this direction until it is closed, as with a real path that
    forgot it: a stream has no gaps. latency_s: +- jitter_s, order is kept; flip_every: mean bytes between bit flips.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    stalls: bool = False
    swallows: bool = False
    segment_bytes: int = 0
    flip_every: float = 0.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """Both directions: up is from client to server. reset_every: bytes of either direction; refuses: nobody in."""

    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    reset_every: int = 0
    refuses: bool = False

    @classmethod
    def both(cls, way: Way) -> "Conditions":
        """Return the same conditions for both directions."""
        return cls(way, way)

    def __str__(self) -> str:
        """Return what differs from a good network, in words."""
        ways = {name: _words(getattr(self, name)) for name in ("up", "down")}
        told = [f"{name} {words}" for name, words in ways.items() if words]
        told += [f"reset every {self.reset_every} bytes"] * bool(self.reset_every) + ["refuses"] * self.refuses
        return ", ".join(told) or "good"


def _words(way: Way) -> str:
    usual = asdict(Way())
    changed = {one.name: getattr(way, one.name) for one in fields(way) if getattr(way, one.name) != usual[one.name]}
    return " ".join(name if value is True else f"{name}={value}" for name, value in changed.items())


GOOD = Conditions()
