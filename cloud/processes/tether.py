"""Tether: what ties a child to its supervisor: a lifeline that ends with it, a way to say ready, a listening socket."""

import json
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

GRACE_S = 10.0
DRAIN_S = 70.0
"""How long a process that is one too many may finish what it was asked: routes wait for a job for up to a minute."""
"""How long a child may take to stop in order."""
_NO_FILE = -1


@dataclass(frozen=True, slots=True)
class Tether:
    """File descriptors by number, -1 where there is none; a child without any runs in the foreground by itself."""

    config: Path
    lifeline: int = _NO_FILE
    ready: int = _NO_FILE
    listen: int = _NO_FILE

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """Return the tether that `arguments` wrote."""
        parser = ArgumentParser()
        parser.add_argument("config", type=Path)
        for name in ("lifeline", "ready", "listen"):
            parser.add_argument(f"--{name}", type=int, default=_NO_FILE)
        return cls(**vars(parser.parse_args(arguments)))

    def arguments(self) -> list[str]:
        """Return the command line that `parse` reads."""
        numbers = {"lifeline": self.lifeline, "ready": self.ready, "listen": self.listen}
        return [str(self.config), *(f"--{name}={number}" for name, number in numbers.items() if number != _NO_FILE)]

    def hold(self, end: Callable[[int], None] = os._exit) -> None:
        """Stop this process as SIGTERM would when the supervisor is gone, and by force after the grace."""
        if self.lifeline == _NO_FILE:
            return
        threading.Thread(target=self._wait_for_the_end, args=(end,), name="lifeline", daemon=True).start()

    def tell_ready(self, facts: dict[str, object]) -> None:
        """Say once that this child serves."""
        if self.ready == _NO_FILE:
            sys.stderr.write(json.dumps({"message": "ready", **facts}) + "\n")
            return
        os.write(self.ready, json.dumps(facts).encode() + b"\n")
        os.close(self.ready)

    def socket(self) -> socket.socket | None:
        """Return the listening socket that was handed down."""
        return None if self.listen == _NO_FILE else socket.socket(fileno=self.listen)

    def _wait_for_the_end(self, end: Callable[[int], None]) -> None:
        while os.read(self.lifeline, 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE_S)
        end(70)
