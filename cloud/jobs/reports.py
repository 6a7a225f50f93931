"""Reports: what people ask to be reported, as jobs, and the report of the week."""

import msgspec

from cloud.domain.job import Job, JobKind, JobLimits, NewJob
from cloud.domain.report import ReportRequest
from cloud.jobs.queue import Jobs

REPORT = "rpt"
"""The prefix of a report's id."""
URGENT = 10
"""Somebody waits for the answer: it is begun before trainings."""
ATTEMPTS = 2


class Reports:
    """Asks for reports; safe to use from several threads."""

    def __init__(self, jobs: Jobs, limits: JobLimits) -> None:
        self._jobs = jobs
        self._limits = JobLimits(limits.seconds, limits.memory_mib, ATTEMPTS)

    def ask(self, request: ReportRequest, *, by: str) -> Job:
        """Ask for one; raise Invalid, Unavailable."""
        parameters = msgspec.to_builtins(request.check())
        return self._jobs.add(NewJob(JobKind.REPORT, parameters, self._limits, by, priority=URGENT))
