"""Order: what a worker hands to the process of a job, on the pipe whose end means that the worker is gone."""

import os
import signal
import threading
from typing import BinaryIO, Self

import msgspec

from cloud.errors import Invalid

_MOST = 1 << 20


class Order(msgspec.Struct, frozen=True):
    """Which job to do under which run; settings: the cloud's settings as JSON."""

    job: str
    run: str
    settings: str
    seconds: float
    memory_mib: int

    def write(self, pipe: int) -> None:
        """Hand it over by a file descriptor that stays open as the lifeline; raise BrokenPipeError."""
        left = memoryview(msgspec.json.encode(self) + b"\n")
        while left:
            left = left[os.write(pipe, left) :]

    @classmethod
    def read(cls, pipe: BinaryIO) -> Self:
        """Take it; raise Invalid for anything else."""
        try:
            return msgspec.json.decode(pipe.readline(_MOST), type=cls)
        except msgspec.MsgspecError as error:
            raise Invalid(f"not an order: {error}") from error


def die_with(pipe: BinaryIO) -> None:
    """Kill this process as soon as the other end of the pipe is gone, whatever it is doing."""
    threading.Thread(target=_wait_and_die, args=(pipe.fileno(),), name="lifeline", daemon=True).start()


def _wait_and_die(lifeline: int) -> None:
    while os.read(lifeline, 64):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
