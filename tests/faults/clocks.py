"""Clocks: gives a program a wall clock of its own, by Debian's libfaketime; what is monotonic goes on as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.missing import NotPlayable

NOTICED_S = 1.0
"""How long a program may go on with the clock that it had: a look at the file with each call would make it slow."""
_LIBRARIES = "faketime/libfaketimeMT.so.1"


class NoClock(NotPlayable):
    """libfaketime is not installed."""


@dataclass(frozen=True, slots=True)
class OwnClock:
    """The file that says how far a program's wall clock is off."""

    path: Path

    def environment(self) -> Mapping[str, str]:
        """Return what a program is to be started with; raise NoClock."""
        found = [*Path("/usr/lib").glob(f"*/{_LIBRARIES}"), *Path("/usr/lib").glob(_LIBRARIES)]
        if not found:
            raise NoClock("libfaketime is not installed: apt-get install faketime")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_CACHE_DURATION": f"{NOTICED_S:.0f}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Debian's build has it on: every wait for Python's lock then spins, and all takes fifty times as long.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
        }

    def step(self, seconds: float) -> None:
        """Have the wall clock be so far from the true time, in one step."""
        self._write(f"{seconds:+.6f}")

    def begin_at(self, text: str) -> None:
        """Have the wall clock begin at a time, as after a start without a battery."""
        self._write(f"@{text}")

    def _write(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text + "\n")
        fresh.rename(self.path)
