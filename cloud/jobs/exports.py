"""Exports: which readings people ask for as a file, as jobs."""

import msgspec

from cloud.domain.export import ExportRequest
from cloud.domain.job import Job, JobKind, JobLimits, NewJob
from cloud.errors import NotFound
from cloud.jobs.queue import Jobs

ATTEMPTS = 2


class Exports:
    """Asks for exports; safe to use from several threads."""

    def __init__(self, jobs: Jobs, limits: JobLimits) -> None:
        self._jobs = jobs
        self._limits = JobLimits(limits.seconds, limits.memory_mib, ATTEMPTS)

    def ask(self, request: ExportRequest, *, by: str) -> Job:
        """Ask for one; raise Invalid, Unavailable."""
        parameters = msgspec.to_builtins(request.check())
        return self._jobs.add(NewJob(JobKind.EXPORT, parameters, self._limits, by))

    def get(self, export_id: str) -> Job:
        """Return the job of an export; raise NotFound."""
        job = self._jobs.get(export_id)
        if job.kind is not JobKind.EXPORT:
            raise NotFound(f"job {export_id:.100} is no export", code="EXPORT_NOT_FOUND")
        return job
