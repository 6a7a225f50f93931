"""Starts the programs of the demo as one process group, restarts what was killed, and leaves nothing behind."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

PR_SET_PDEATHSIG = 1
START_TIMEOUT_S = 120.0
"""A small or busy machine may take so long to import a cloud."""
STOP_TIMEOUT_S = 15.0


class ProgramFailed(Exception):
    """A program ended, or did not come up, when it should be running."""

    def __init__(self, message: str, log: Path) -> None:
        super().__init__(message)
        self.log = log

    def last_words(self) -> str:
        """Return the end of the program's log."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start one program, and how to see that it is up; log: where its output goes."""

    name: str
    command: Sequence[str]
    log: Path
    is_up: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it is gone, even by SIGKILL (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Owns the running programs; a context manager that stops them in the reverse order of their start."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Program, subprocess.Popen[bytes]]] = {}
        self._group: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, program: Program, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start a program and wait until it is up; raise ProgramFailed where it is not in time."""
        self.spawn(program)
        self.wait_until_up(program.name, timeout_s=timeout_s)

    def spawn(self, program: Program) -> None:
        """Start a program without waiting."""
        with program.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the demo's own commands
                list(program.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                process_group=self._joinable_group(),
                preexec_fn=die_with_parent,  # noqa: PLW1509 - single-threaded here, and only a system call
            )
        if self._group is None:
            self._group = process.pid
        self._running[program.name] = (program, process)

    def wait_until_up(self, name: str, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait for a started program; raise ProgramFailed where it ends or is not up in time."""
        program, process = self._running[name]
        deadline = time.monotonic() + timeout_s
        while not program.is_up():
            if process.poll() is not None:
                raise ProgramFailed(f"{name} ended with {process.returncode}", program.log)
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{name} is not up after {timeout_s:.0f} s", program.log)
            time.sleep(0.02)

    def kill(self, name: str) -> None:
        """SIGKILL a program and what it started itself."""
        _, process = self._running[name]
        for pid in (*descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)

    def restart(self, name: str) -> None:
        """Start a program again after it ended."""
        self.spawn(self._running[name][0])

    def pid(self, name: str) -> int:
        """Return the process id of a running program."""
        return self._running[name][1].pid

    def stop(self, name: str, *, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Ask a program to end, insist after a while, and return its exit status."""
        _, process = self._running.pop(name)
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            for pid in (*descendants(process.pid), process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return process.wait(timeout_s)

    def stop_all(self) -> None:
        """Stop everything, last started first, then whatever is left of the group."""
        for name in reversed(list(self._running)):
            self.stop(name)
        if self._group is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            self._group = None

    def _joinable_group(self) -> int:
        if self._group is not None and group_exists(self._group):
            return self._group
        self._group = None
        return 0


def run_to_end(command: Sequence[str], log: Path) -> bytes:
    """Run a command that ends by itself and return what it printed; log: for the rest; raise ProgramFailed."""
    with log.open("wb") as errors:
        done = subprocess.run(list(command), stdout=subprocess.PIPE, stderr=errors, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ProgramFailed(f"{command[0]} {command[1]} ended with {done.returncode}", log)
    return done.stdout


def group_exists(group: int) -> bool:
    """Return whether any process is in this group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def descendants(pid: int) -> Sequence[int]:
    """Return the processes below this one; none where it is gone."""
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def memory_mib(pid: int, *, with_children: bool) -> float:
    """Return the resident memory of a process, or of it and all below it, in MiB; 0 where it is gone."""
    total = 0
    for each in (pid, *(descendants(pid) if with_children else ())):
        with suppress(psutil.NoSuchProcess):
            total += psutil.Process(each).memory_info().rss
    return float(total) / 2**20
