"""Two small files by which the worker and the supervisor talk: how many processes are wanted, and how many there are.

Each has one writer and is replaced whole. A pool is the processes that share one kind of work: ingest, jobs, api.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloud.domain.pools import RunningPool

MOST = 64
"""No pool gets larger, whatever a file says."""
_WANTED, _RUNNING = "wanted.json", "running.json"


@dataclass(frozen=True, slots=True)
class Running:
    """What the supervisor says of its pools; at_us: when."""

    at_us: int
    pools: Mapping[str, RunningPool] = field(default_factory=dict)


def write_wanted(directory: Path, counts: Mapping[str, int]) -> None:
    """Say how many processes of each pool are wanted; raise OSError."""
    directory.mkdir(mode=0o700, exist_ok=True)
    _replace(directory / _WANTED, dict(counts))


def read_wanted(directory: Path) -> dict[str, int]:
    """Return how many processes of each pool are wanted; nothing where nobody said, or what was said is damaged."""
    found = _read(directory / _WANTED)
    return {name: min(count, MOST) for name, count in found.items() if isinstance(count, int) and count >= 1}


def write_running(directory: Path, running: Running) -> None:
    """Say how many processes there are; raise OSError."""
    directory.mkdir(mode=0o700, exist_ok=True)
    pools = {name: {"alive": one.alive, "died_us": list(one.died_us)} for name, one in running.pools.items()}
    _replace(directory / _RUNNING, {"at_us": running.at_us, "pools": pools})


def read_running(directory: Path) -> Running | None:
    """Return what the supervisor said last, None where it never did."""
    found = _read(directory / _RUNNING)
    try:
        pools = {
            name: RunningPool(int(one["alive"]), tuple(map(int, one["died_us"])))
            for name, one in found["pools"].items()
        }
        return Running(int(found["at_us"]), pools)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _replace(path: Path, content: Mapping[str, object]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)
