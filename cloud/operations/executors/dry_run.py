"""DryRun: writes down what would be done, and does nothing; for those who want to watch before they trust."""

from collections.abc import Mapping
from pathlib import Path

from cloud.domain.pools import RunningPool
from cloud.errors import Unavailable
from cloud.storage.instances import read_wanted, write_wanted


class DryRun:
    """Keeps the counts in a directory of its own; what was asked for is what it says there is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def want(self, counts: Mapping[str, int]) -> None:
        """Write the counts down; raise Unavailable."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_wanted(self._directory, read_wanted(self._directory) | dict(counts))
        except OSError as error:
            raise Unavailable(f"what is wanted cannot be written down: {error}") from error

    def running(self) -> Mapping[str, RunningPool]:
        """Return what was asked for."""
        return {pool: RunningPool(count) for pool, count in read_wanted(self._directory).items()}
