"""Supervised: the built-in supervisor of `serve` starts and ends real processes."""

from collections.abc import Mapping
from pathlib import Path

from cloud.domain.pools import RunningPool
from cloud.errors import Unavailable
from cloud.ports import Clock
from cloud.storage.instances import read_running, read_wanted, write_wanted

_STALE_US = 20_000_000


class Supervised:
    """Asks by a file, and reads what the supervisor tells of its children."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def want(self, counts: Mapping[str, int]) -> None:
        """Ask for so many processes; raise Unavailable where no supervisor is there to hear it."""
        if not self.running():
            raise Unavailable("no supervisor of processes runs here: start all with `serve`", code="NO_SUPERVISOR")
        wanted = read_wanted(self._directory) | dict(counts)
        try:
            write_wanted(self._directory, wanted)
        except OSError as error:
            raise Unavailable(f"the supervisor cannot be asked: {error}", code="NO_SUPERVISOR") from error

    def running(self) -> Mapping[str, RunningPool]:
        """Return what the supervisor told lately."""
        told = read_running(self._directory)
        if told is None or self._clock.now_us() - told.at_us > _STALE_US:
            return {}
        return told.pools
