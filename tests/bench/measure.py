"""What a benchmark measures and how it says so: a process from outside, figures with targets, a table, JSON."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from operator import ge, le
from pathlib import Path
from time import monotonic, sleep, time_ns

import numpy as np
import psutil

MIB = 1024 * 1024
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach; is_most: whether it is the most allowed and not the least."""

    value: float
    is_most: bool = True

    def is_reached_by(self, value: float) -> bool:
        """Return whether this value is good enough; one that could not be measured is not."""
        return bool((le if self.is_most else ge)(value, self.value))

    def __str__(self) -> str:
        return f"{'<=' if self.is_most else '>='} {shown(self.value)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; note: how it came about, where the name does not say it."""

    name: str
    value: float
    unit: str
    target: Target | None = None
    note: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Return whether the target is reached, None where there is none."""
        return None if self.target is None else self.target.is_reached_by(self.value)


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment; cpu_s: user and system time of all its threads; written: bytes sent to the disk."""

    at_s: float
    cpu_s: float
    rss_mib: float
    written: int


class Watched:
    """A process seen from outside."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def sample(self) -> Sample:
        """Return where it stands now; raises psutil.NoSuchProcess where it has ended."""
        with self._process.oneshot():
            times = self._process.cpu_times()
            rss = self._process.memory_info().rss
        written = self._process.io_counters().write_bytes
        return Sample(monotonic(), times.user + times.system, rss / MIB, written)

    def rss_mib(self) -> float:
        """Return the memory it has now."""
        return float(self._process.memory_info().rss / MIB)


def slope_per_minute(points: Sequence[tuple[float, float]]) -> float:
    """Return the rise per minute of (second, value) points by least squares; 0 for fewer than two."""
    if len(points) < 2:
        return 0.0
    at_s, values = np.array(points).T
    return float(np.polyfit(at_s - at_s[0], values, 1)[0] * 60)


def now_us() -> int:
    """Return the wall clock in microseconds, the same for every process of this machine."""
    return time_ns() // 1000


def shown(value: float) -> str:
    """Return a number as people read it."""
    if value != value:  # noqa: PLR0124 - the one thing that is not equal to itself: not measured
        return "not measured"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(title: str, figures: Iterable[Figure]) -> str:
    """Return the figures as lines of text: name, value, target, reached, note."""
    lines = [title, "-" * len(title)]
    for figure in figures:
        target = "" if figure.target is None else str(figure.target)
        reached = {None: "", True: "yes", False: "NO"}[figure.is_reached]
        value = f"{shown(figure.value)} {figure.unit}"
        lines.append(f"{figure.name:50}{value:>24}  {target:>12}  {reached:4}{figure.note}".rstrip())
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    """Write to standard output at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def save(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures as JSON, with the time and what the machine was busy with."""
    rows = [asdict(figure) | {"reached": figure.is_reached} for figure in figures]
    for row in rows:
        row["target"] = row["target"] and row["target"]["value"]
    measured = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": psutil.cpu_count(),
        "load": psutil.getloadavg()[0],
        "figures": rows,
    }
    path.write_text(json.dumps(measured, indent=1) + "\n")


def filesystem(path: Path) -> str:
    """Return the kind of file system that a path lies on."""
    places = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    return next((places[str(up)] for up in (path.resolve(), *path.resolve().parents) if str(up) in places), "unknown")


def wait_until(is_true: Callable[[], bool], what: str, *, seconds: float = 20.0) -> None:
    """Return as soon as something holds; raise TimeoutError that says what did not."""
    deadline = monotonic() + seconds
    while not is_true():
        if monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain until {what}")
        sleep(0.01)
