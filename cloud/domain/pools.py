"""Pools of processes, and the port behind which somebody gives them the size that is wanted.

The supervisor imports this and lives for years, so next to nothing is loaded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RunningPool:
    """Processes of one kind of work that serve, and when others of them died, in microseconds since the epoch."""

    alive: int
    died_us: tuple[int, ...] = ()


class Executor(Protocol):
    """Gives a pool of processes the size that is wanted of it; what it was asked last outlives a restart."""

    def want(self, counts: Mapping[str, int]) -> None:
        """Ask for so many processes of each pool, at least 1, and return at once; raise Unavailable."""

    def running(self) -> Mapping[str, RunningPool]:
        """Return what runs of each pool; nothing where nobody can tell."""
