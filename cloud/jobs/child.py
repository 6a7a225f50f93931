"""Child: one running job as its worker sees it, a process of its own, watched for time and memory, killed at once.

A job writes nothing before its one transaction at the end, so that killing it is always safe.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cloud.domain.job import Failing, Failure, Job
from cloud.jobs.order import Order

MODULE = "cloud.processes.job"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Jobs run beside each other: each takes one core."""
_MIB = 1024 * 1024
_STATM = "/proc/{pid}/statm"


@dataclass(frozen=True, slots=True)
class Child:
    """A job that runs; begun_s: by the worker's monotonic clock; verdict: why it was killed."""

    job: Job
    process: subprocess.Popen[bytes]
    begun_s: float
    verdict: Failure | None = None

    @property
    def run(self) -> str:
        """Return the token of its run."""
        return self.job.run

    def over_limit(self, now_s: float) -> Failure | None:
        """Return which limit it is over, if any."""
        limits = self.job.limits
        if now_s - self.begun_s > limits.seconds:
            return Failure(Failing.TIME_LIMIT, f"stopped: it ran longer than its limit of {limits.seconds:g} s")
        used_mib = resident_mib(self.process.pid)
        if used_mib > limits.memory_mib:
            told = f"stopped: it took {used_mib} MiB of memory, its limit is {limits.memory_mib} MiB"
            return Failure(Failing.MEMORY_LIMIT, told)
        return None

    def kill(self, verdict: Failure | None) -> "Child":
        """Kill it with all that it started, and return it with the reason."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return replace(self, verdict=self.verdict or verdict)

    def ended(self) -> Failure | None:
        """Return None while it runs, else what to say of it where it said nothing itself."""
        code = self.process.poll()
        if code is None:
            return None
        self.let_go()
        return self.verdict or _died(code)

    def let_go(self) -> None:
        """Wait until it has died and close the pipe to it."""
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def begin(job: Job, settings: str, now_s: float, command: Sequence[str] = ()) -> Child:
    """Start the process of a job; raise OSError where there is no room for one."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*(command or (sys.executable, "-m", MODULE))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD},
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - it was asked for
    order = Order(job.id, job.run, settings, job.limits.seconds, job.limits.memory_mib)
    with suppress(BrokenPipeError):  # it died at once: its code says so at the next look
        order.write(process.stdin.fileno())
    return Child(job, process, now_s)


def resident_mib(pid: int) -> int:
    """Return the resident memory of a process, 0 where it is gone."""
    try:
        pages = int(Path(_STATM.format(pid=pid)).read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // _MIB


def _died(code: int) -> Failure:
    if code < 0:
        return Failure(Failing.KILLED, f"its process was killed by {signal.Signals(-code).name}")
    return Failure(Failing.CRASHED, f"its process ended with code {code} and said nothing")
