"""How each kind of job is done; read by the process of a job alone, since what learns is heavy to load."""

from collections.abc import Mapping

from cloud.domain.job import Job, JobKind
from cloud.jobs.bench import Bench, Work
from cloud.learning.algorithm import Progress
from cloud.learning.retrain_request import parse_request
from cloud.learning.retraining import Retrainer, retrain
from cloud.records.jobs import Outcome


def _retrain(bench: Bench, job: Job, progress: Progress) -> Outcome:
    parts = Retrainer(bench.records, bench.clock, bench.registry, bench.readings())
    return retrain(parts, parse_request(job.parameters), job_id=job.id, by=job.requested_by, progress=progress)


KINDS: Mapping[JobKind, Work] = {JobKind.RETRAIN: _retrain}
