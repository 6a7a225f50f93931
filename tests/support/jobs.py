"""A queue of jobs with a runner of its own, whose processes do what the test says."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from cloud.clock import SystemClock
from cloud.config import Settings
from cloud.domain.job import Job, JobKind, JobLimits, NewJob
from cloud.jobs.queue import Jobs
from cloud.jobs.runner import Runner
from cloud.ports import Clock
from cloud.records.audit import list_audit
from cloud.records.database import Records
from tests.support.jobs_process import SUBJECT
from tests.support.waiting import wait_until

COMMAND = (sys.executable, "-m", "tests.support.jobs_process")


@dataclass(frozen=True)
class Shop:
    """The queue, and runners over it."""

    settings: Settings
    records: Records
    jobs: Jobs

    def add(self, do: str, *, limit_s: float = 60, memory_mib: int = 1024, attempts: int = 1, **more: object) -> Job:
        """Ask for a job."""
        parameters: Mapping[str, object] = {"do": do, **more}
        limits = JobLimits(limit_s, memory_mib, attempts)
        return self.jobs.add(NewJob(JobKind.TRAIN, parameters, limits, "test"))

    def runner(self, *, most: int = 1, clock: Clock | None = None) -> Runner:
        """Return a worker's runner."""
        settings = self.settings.model_dump_json()
        return Runner(self.records, clock or SystemClock(), settings, most=most, command=COMMAND)

    def run_until_ended(self, runner: Runner, *jobs: Job) -> list[Job]:
        """Let the runner go on until these jobs have ended, and return them."""

        def have_ended() -> bool:
            runner.look()
            return all(self.jobs.get(job.id).state.is_final for job in jobs)

        wait_until(have_ended)
        return [self.jobs.get(job.id) for job in jobs]

    def run_until_working(self, runner: Runner, job: Job) -> Job:
        """Let the runner go on until this job's process has begun its work."""

        def is_working() -> bool:
            runner.look()
            return self.jobs.get(job.id).progress.share > 0

        wait_until(is_working)
        return self.jobs.get(job.id)

    def served(self) -> int:
        """Return how often a job changed the served model."""
        with self.records.reading() as session:
            return len(list_audit(session, subject=SUBJECT))
