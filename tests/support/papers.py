"""Papers: a worker inside the test that writes reports and exports of a running cloud."""

import asyncio
from collections.abc import Awaitable
from contextlib import ExitStack
from typing import TypeVar

from cloud.jobs.bench import Bench
from cloud.jobs.doing import do_job
from cloud.jobs.kinds import KINDS
from cloud.jobs.order import Order
from cloud.processes.job import open_bench
from cloud.records.jobs import claim_job
from tests.support.cloud import Cloud

Answer = TypeVar("Answer")


def write_papers(cloud: Cloud) -> int:
    """Do what waits in the queue, as the processes of jobs do it, and return how many jobs that were."""
    done = 0
    with ExitStack() as closing:
        opened = open_bench(cloud.settings, closing)
        bench = Bench(
            opened.settings,
            cloud.clock,
            opened.records,
            opened.files,
            opened.registry,
            opened.readings,
            opened.gateways,
        )
        while True:
            with bench.records.writing() as session:
                job = claim_job(session, f"run-{done}", cloud.api.services.jobs.now())
            if job is None:
                return done
            do_job(bench, Order(job.id, job.run, "", 60, 4096), KINDS)
            done += 1


async def while_writing(cloud: Cloud, asked: Awaitable[Answer]) -> Answer:
    """Return the answer to a request that waits for its report."""
    answer = asyncio.ensure_future(asked)
    while not answer.done():
        await asyncio.to_thread(write_papers, cloud)
        await asyncio.sleep(0.01)
    return await answer
