"""HostMeter: how busy this machine is, from what its kernel counts."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cloud.ports import Clock

_IDLE = (3, 4)  # idle and waiting for a disk, of the counters in /proc/stat
_LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class HostLoad:
    """Shares of the machine, 0 to 1."""

    cpu: float
    memory: float


class HostMeter:
    """Tells the time that all cores were busy since the last look that lies a second back or more. Any thread."""

    def __init__(self, clock: Clock, proc: Path = Path("/proc")) -> None:
        self._clock = clock
        self._proc = proc
        self._lock = Lock()
        self._seen = self._counters()
        self._seen_s = clock.monotonic_s()
        self._cpu = 0.0

    def look(self) -> HostLoad:
        """Return the load; 0 where the kernel does not tell."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if now_s - self._seen_s >= _LEAST_S:
                busy, total = self._counters()
                spent = total - self._seen[1]
                self._cpu = min(1.0, max(0.0, (busy - self._seen[0]) / spent)) if spent > 0 else self._cpu
                self._seen, self._seen_s = (busy, total), now_s
            return HostLoad(self._cpu, self._memory())

    def _counters(self) -> tuple[int, int]:
        try:
            ticks = [int(word) for word in (self._proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return 0, 0
        return sum(ticks) - sum(ticks[index] for index in _IDLE if index < len(ticks)), sum(ticks)

    def _memory(self) -> float:
        try:
            lines = (self._proc / "meminfo").read_text().splitlines()
            sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
            return min(1.0, max(0.0, 1 - sizes["MemAvailable"] / sizes["MemTotal"]))
        except (OSError, ValueError, KeyError, IndexError, ZeroDivisionError):
            return 0.0
