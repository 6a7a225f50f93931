"""Limit: how often one caller may ask for one operation, and where somebody stands."""

from dataclasses import dataclass

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
OFF = "off"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests of one caller in a window of `window_s` seconds, which begins with the first."""

    count: int
    window_s: int

    def __str__(self) -> str:
        unit = next((unit for unit, seconds in _SECONDS.items() if seconds == self.window_s), f"{self.window_s} s")
        return f"{self.count} requests a {unit}"

    def raised(self, times: int) -> "Limit":
        """Return a limit that allows so many times as much."""
        return Limit(self.count * times, self.window_s)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limit of an operation for callers who are known, and for those who are not."""

    known: Limit
    unknown: Limit


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands; resets_us: when the window ends, in microseconds since the epoch."""

    limit: Limit
    count: int
    resets_us: int

    @property
    def resets_s(self) -> int:
        """Return the first whole second since the epoch in which the window is over."""
        return -(-self.resets_us // 1_000_000)

    @property
    def remaining(self) -> int:
        """Return how many requests are left in this window."""
        return max(0, self.limit.count - self.count)

    @property
    def is_over(self) -> bool:
        """Return whether this request is one too many."""
        return self.count > self.limit.count


def parse_limit(text: str) -> Limit:
    """Return the limit that `60/minute` or `5/hour` says; raise ValueError for other texts."""
    count, _, unit = text.partition("/")
    if not count.isdecimal() or unit not in _SECONDS:
        raise ValueError(f"{text!r} is no limit: write 60/minute")
    return Limit(int(count), _SECONDS[unit])
