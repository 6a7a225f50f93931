"""Doing: one job from its order to its end, inside the process that was started for it."""

import logging
from collections.abc import Mapping

from cloud.domain.job import Failing, Failure, Job, JobKind
from cloud.domain.times import to_datetime
from cloud.errors import CloudError, Conflict
from cloud.jobs.bench import Bench, Work
from cloud.jobs.order import Order
from cloud.jobs.reporter import Reporter
from cloud.learning.algorithm import Cancelled
from cloud.records.jobs import conclude, find_job, succeed

_CANCELLED = Failure(Failing.KILLED, "stopped: it was cancelled")
_log = logging.getLogger(__name__)


def do_job(bench: Bench, order: Order, kinds: Mapping[JobKind, Work]) -> None:
    """Do the job and write how it came out; do nothing where the run is not the job's any more. Raise Unavailable."""
    with bench.records.reading() as session:
        job = find_job(session, order.job)
    if job is None or job.run != order.run:
        return
    failure = _try(bench, job, kinds)
    if failure is None:
        return
    with bench.records.writing() as session:
        conclude(session, job.run, failure, to_datetime(bench.clock.now_us()))


def _try(bench: Bench, job: Job, kinds: Mapping[JobKind, Work]) -> Failure | None:
    """Do it as a supervised task: whatever it raises is how the job failed, and the worker goes on."""
    try:
        outcome = kinds[job.kind](bench, job, Reporter(bench.records, bench.clock, job.run))
        with bench.records.writing() as session:
            is_kept = succeed(session, job.run, outcome, to_datetime(bench.clock.now_us()))
    except Cancelled:
        return _CANCELLED
    except MemoryError:
        told = f"stopped: it asked for more memory than its limit of {job.limits.memory_mib} MiB"
        return Failure(Failing.MEMORY_LIMIT, told)
    except Conflict as error:
        return Failure(Failing.REFUSED, f"the world changed meanwhile: {error}", error.code, error.details)
    except CloudError as error:
        return Failure(Failing.REFUSED, str(error), error.code, error.details)
    except Exception as error:  # noqa: BLE001 - the root of the job
        _log.exception("a job failed", extra={"job": job.id})
        return Failure(Failing.CRASHED, f"something went wrong inside: {type(error).__name__}: {error}")
    return None if is_kept else _CANCELLED
