"""Waiting: a job as it is when it has ended, or after a minute; for routes that answer with the result."""

import asyncio

from cloud.domain.job import Job
from cloud.services import Services

_LONGEST_S = 60.0
_LOOK_EVERY_S = 0.1


async def ended(services: Services, job: Job) -> Job:
    """Return the job when it has ended, or as it is after a minute."""

    def look(_: object, identity: str = job.id) -> Job:
        return services.jobs.get(identity)

    end_s = services.clock.monotonic_s() + _LONGEST_S
    while not job.state.is_final and services.clock.monotonic_s() < end_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        job = await services.threads.run(look)
    return job
