"""Seat: an agent's place on a stage, and what the agent says of itself."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Seat:
    """An agent's place: its program's name, its gateway's name, its directory and the port of its watch."""

    name: str
    gateway: str
    directory: Path
    watch_port: int

    @property
    def buffer(self) -> Path:
        """Return the buffer's file; it has a directory of its own, which may be a disk of its own."""
        return self.directory / "buffer" / "buffer.db"

    @property
    def log(self) -> Path:
        """Return what the agent wrote to standard error."""
        return self.directory / "agent.log"

    def status(self) -> dict[str, Any]:
        """Return what the agent says of itself, nothing where it does not answer in time."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.watch_port}/status", timeout=2) as answer:
                found: dict[str, Any] = json.loads(answer.read())
        except (OSError, ValueError):
            return {}
        return found

    def oldest_waiting_s(self) -> float:
        """Return how old the oldest value is that has no ack, infinite where nobody says."""
        buffer = self.status().get("buffer", {})
        if not buffer or buffer["error"]:
            return float("inf")
        return float(buffer["oldest_waiting_s"]) if buffer["batches_waiting"] else 0.0

    def all_until_now(self) -> Callable[[], bool]:
        """Return a question whether all that is taken until now is acknowledged, which looks at no clock."""
        wait_until(lambda: self.status().get("buffer", {}).get("epochs"), deadline_s=60.0, every_s=0.05)
        buffer = self.status()["buffer"]
        newest, unsealed = buffer["epoch"], buffer["unsealed_readings"]
        due = unsealed + sum(one["sealed"] for one in buffer["epochs"] if one["epoch"] == newest)

        def is_acked() -> bool:
            epochs = self.status().get("buffer", {}).get("epochs", [])
            done = sum(one["sealed"] - one["waiting"] for one in epochs if one["epoch"] == newest)
            return bool(epochs) and done >= due and not any(e["waiting"] for e in epochs if e["epoch"] != newest)

        return is_acked

    def is_drained(self) -> bool:
        """Return whether nothing waits."""
        buffer = self.status().get("buffer", {})
        return bool(buffer) and buffer["batches_waiting"] + buffer["unsealed_readings"] == 0
