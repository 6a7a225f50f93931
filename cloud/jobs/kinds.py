"""How each kind of job is done; read by the process of a job alone, since what learns is heavy to load."""

from collections.abc import Mapping

from msgspec import convert

from cloud.domain.job import Job, JobKind
from cloud.jobs.bench import Bench, Work
from cloud.jobs.writing_exports import export_readings
from cloud.learning.algorithm import Progress
from cloud.learning.dataset_drawing import Drawer, draw_dataset, parse_draw_request
from cloud.learning.experiments import attached
from cloud.learning.retrain_request import parse_request
from cloud.learning.retraining import Retrainer, retrain
from cloud.learning.self_directed import DetectRequest, detect
from cloud.learning.train_request import parse_train_request
from cloud.learning.training import Trainer, train
from cloud.records.jobs import Outcome


def _retrain(bench: Bench, job: Job, progress: Progress) -> Outcome:
    parts = Retrainer(bench.records, bench.clock, bench.registry, bench.readings())
    return retrain(parts, parse_request(job.parameters), job_id=job.id, by=job.requested_by, progress=progress)


def _train(bench: Bench, job: Job, progress: Progress) -> Outcome:
    parts = Trainer(bench.records, bench.clock, bench.registry, bench.files)
    request = parse_train_request(job.parameters)
    outcome = train(parts, request, by=job.requested_by, progress=progress)
    return attached(outcome, request, job, bench.clock)


def _detect(bench: Bench, job: Job, progress: Progress) -> Outcome:
    parts = Trainer(bench.records, bench.clock, bench.registry, bench.files)
    return detect(parts, convert(job.parameters, DetectRequest), by=job.requested_by, progress=progress)


def _draw(bench: Bench, job: Job, progress: Progress) -> Outcome:
    parts = Drawer(bench.records, bench.clock, bench.files, bench.readings(), bench.settings.learning.max_rows)
    request = parse_draw_request(job.parameters)
    return draw_dataset(parts, request, job_id=job.id, by=job.requested_by, progress=progress)


def _report(bench: Bench, job: Job, progress: Progress) -> Outcome:
    from cloud.jobs.writing_reports import write_one  # noqa: PLC0415 - charts and prints are heavy

    return write_one(bench, job, progress)


KINDS: Mapping[JobKind, Work] = {
    JobKind.TRAIN: _train,
    JobKind.RETRAIN: _retrain,
    JobKind.DRAW_DATASET: _draw,
    JobKind.AUTONOMOUS: _detect,
    JobKind.REPORT: _report,
    JobKind.EXPORT: export_readings,
}
