"""The process of a job whose work is chosen by the test: what each parameter `do` makes it do."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.job import Job, JobKind
from cloud.domain.times import to_datetime
from cloud.errors import Invalid
from cloud.jobs.bench import Bench
from cloud.learning.algorithm import Progress
from cloud.processes.job import serve_job
from cloud.records.audit import add_audit
from cloud.records.jobs import Outcome

SUBJECT = "served model"


def _write(job: Job, _progress: Progress) -> None:
    with Path(str(job.parameters["path"])).open("a") as file:
        file.write(f"{job.id}\n")


def _wait(_job: Job, _progress: Progress) -> None:
    while True:
        time.sleep(0.01)


def _watch(_job: Job, progress: Progress) -> None:
    while True:
        progress(0.5, "waiting")
        time.sleep(0.01)


def _spin(_job: Job, _progress: Progress) -> None:
    sum(iter(int, 1))


def _exit(_job: Job, _progress: Progress) -> None:
    os._exit(3)


def _swell(_job: Job, _progress: Progress) -> None:
    held = []
    while True:
        held.append(os.urandom(1 << 22))
        time.sleep(0.001)


def _ask(_job: Job, _progress: Progress) -> None:
    bytearray(1 << 36)


def _refuse(_job: Job, _progress: Progress) -> None:
    raise Invalid("target: only one class", code="ONE_CLASS", details={"field": "target"})


def _crash(_job: Job, _progress: Progress) -> None:
    raise ZeroDivisionError("by zero")


DEEDS: dict[str, Callable[[Job, Progress], None]] = {
    "work": _write,
    "wait": _wait,
    "wait watching": _watch,
    "spin": _spin,
    "exit": _exit,
    "swell": _swell,
    "ask for all": _ask,
    "refuse": _refuse,
    "crash": _crash,
}


def work(bench: Bench, job: Job, progress: Progress) -> Outcome:
    """Do what the job's parameters say; what it makes is a line of audit about the served model."""
    progress(0.25, "begun")
    DEEDS[str(job.parameters["do"])](job, progress)

    def keep(session: Session) -> None:
        add_audit(session, AuditEntry(to_datetime(bench.clock.now_us()), "job", "model.serve", SUBJECT, {}))

    return Outcome({"answer": 42}, keep)


if __name__ == "__main__":
    serve_job({JobKind.TRAIN: work})
