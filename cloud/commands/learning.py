"""lineside-cloud job, dataset and train: what learns, from the command line."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath
from cloud.domain.dataset import Dataset
from cloud.domain.identity import shown
from cloud.domain.job import Job, JobState
from cloud.domain.times import to_datetime
from cloud.jobs.opening import open_datasets, open_models, open_trainings
from cloud.jobs.queue import JOB, Jobs
from cloud.learning.datasets import FILE, Datasets, Upload
from cloud.learning.train_request import TrainRequest

jobs_app = typer.Typer(help="Jobs: list, look, cancel.", no_args_is_help=True)
datasets_app = typer.Typer(help="Datasets: import, list, look, delete.", no_args_is_help=True)
_ACTOR = "cli"
_PIECE = 1 << 20
_LOOK_EVERY_S = 0.2


@jobs_app.command("list")
def list_jobs(
    config: ConfigPath = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the newest jobs."""
    with records_of(config) as (_, records):
        found, _total = Jobs(records, SystemClock()).list(limit=limit)
    if as_json:
        typer.echo(json.dumps([_job_facts(job) for job in found]))
        return
    table = Table(Column("job", no_wrap=True), "kind", "state", "progress", "step", "asked", "by")
    for job in found:
        share = f"{job.progress.share:.0%}"
        table.add_row(
            shown(JOB, job.id),
            job.kind.value,
            job.state.value,
            share,
            job.progress.step,
            f"{job.created_at:%Y-%m-%d %H:%M}",
            job.requested_by,
        )
    Console().print(table)


@jobs_app.command("show")
def show_job(job_id: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show one job with its result, or why it failed."""
    with records_of(config) as (_, records):
        typer.echo(json.dumps(_job_facts(Jobs(records, SystemClock()).get(job_id)), indent=1))


@jobs_app.command("cancel")
def cancel_job(job_id: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Cancel a job; one that ended stays as it is."""
    with records_of(config) as (_, records):
        job = Jobs(records, SystemClock()).cancel(job_id, by=_ACTOR)
    state = "is asked to stop" if job.state is JobState.RUNNING else f"is {job.state.value}"
    typer.echo(f"{shown(JOB, job.id)} {state}")


@datasets_app.command("import")
def import_dataset(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON or Parquet.")],
    name: Annotated[str, typer.Option(help="What it is called; the file's name without it.")] = "",
    target: Annotated[str, typer.Option(help="The column that shall be foretold.")] = "",
    text: Annotated[list[str] | None, typer.Option(help="A column of texts; repeat for more.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Take a file in as a dataset."""
    with _datasets(config) as datasets, file.open("rb") as source:
        chunks = iter(lambda: source.read(_PIECE), b"")
        upload = Upload(chunks, file.name, name or file.stem, _ACTOR, target=target, texts=tuple(text or ()))
        made = datasets.upload(upload)
    if as_json:
        typer.echo(json.dumps(_dataset_facts(made)))
        return
    typer.echo(f"{shown(FILE, made.id)}: {made.n_rows} rows, {len(made.columns)} columns")
    for warning in made.warnings:
        typer.echo(f"note: {warning}", err=True)


@datasets_app.command("list")
def list_datasets(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show all datasets."""
    with _datasets(config) as datasets:
        found = datasets.list()
    if as_json:
        typer.echo(json.dumps([_dataset_facts(one) for one in found]))
        return
    table = Table(Column("dataset", no_wrap=True), "name", "format", "rows", "columns", "target", "made")
    for one in found:
        counts = str(one.n_rows), str(len(one.columns))
        table.add_row(
            shown(FILE, one.id), one.name, one.file_format, *counts, one.target, f"{one.created_at:%Y-%m-%d %H:%M}"
        )
    Console().print(table)


@datasets_app.command("show")
def show_dataset(dataset_id: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show one dataset with what is known of its columns."""
    with _datasets(config) as datasets:
        typer.echo(json.dumps(_dataset_facts(datasets.get(dataset_id)), indent=1))


@datasets_app.command("delete")
def delete_dataset(dataset_id: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Delete a dataset and its file; what was learned from it stays."""
    with _datasets(config) as datasets:
        datasets.delete(dataset_id, by=_ACTOR)
    typer.echo(f"{dataset_id} is deleted")


def train(
    dataset_id: Annotated[str, typer.Argument(help="Which dataset teaches.")],
    model: Annotated[str, typer.Option(help="The model's name; a new version of it is made.")],
    task: Annotated[str, typer.Option(help="anomaly, classification, regression, forecast; else by target.")] = "",
    algorithm: Annotated[str, typer.Option(help="What learns; else the one for the task.")] = "",
    target: Annotated[str, typer.Option(help="The column that is foretold; else the dataset's own, or the last.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended; 1 where it failed.")] = False,
) -> None:
    """Train a model on a dataset, as a job; `serve` must be running to do it."""
    with records_of(config) as (settings, records):
        clock = SystemClock()
        datasets = open_datasets(settings, records, clock)
        registry = open_models(settings, records, clock)
        request = TrainRequest(
            dataset_id,
            model,
            task=task,  # type: ignore[arg-type] # checked by `train`
            algorithm=algorithm,
            target=target,
        )
        job = open_trainings(settings, records, clock, datasets, registry).train(request, by=_ACTOR)
        typer.echo(shown(JOB, job.id))
        if wait:
            _wait(Jobs(records, clock), job)


def _wait(jobs: Jobs, job: Job) -> None:
    told = ""
    while not job.state.is_final:
        time.sleep(_LOOK_EVERY_S)
        job = jobs.get(job.id)
        line = f"{job.state.value} {job.progress.share:.0%} {job.progress.step}".rstrip()
        if line != told:
            typer.echo(line, err=True)
        told = line
    typer.echo(json.dumps(_job_facts(job), indent=1))
    if job.state is not JobState.SUCCEEDED:
        raise typer.Exit(1)


@contextmanager
def _datasets(config: Path) -> Iterator[Datasets]:
    with records_of(config) as (settings, records):
        yield open_datasets(settings, records, SystemClock())


def _job_facts(job: Job) -> dict[str, Any]:
    failure = job.failure
    return {
        "id": shown(JOB, job.id),
        "kind": job.kind.value,
        "state": job.state.value,
        "progress": job.progress.share,
        "step": job.progress.step,
        "created_at": job.created_at.isoformat(),
        "elapsed_s": round(job.elapsed_s(to_datetime(SystemClock().now_us())), 3),
        "requested_by": job.requested_by,
        "cancelled_by": job.cancelled_by,
        "parameters": dict(job.parameters),
        "result": dict(job.result),
        "error": None if failure is None else {"reason": failure.reason.value, "message": failure.message},
    }


def _dataset_facts(one: Dataset) -> dict[str, Any]:
    return {
        "id": shown(FILE, one.id),
        "name": one.name,
        "description": one.description,
        "origin": one.origin.value,
        "file_format": one.file_format,
        "rows": one.n_rows,
        "target": one.target,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind.value,
                "missing": column.missing,
                "distinct": column.distinct,
                "minimum": column.minimum,
                "maximum": column.maximum,
                "mean": column.mean,
            }
            for column in one.columns
        ],
        "warnings": one.warnings,
        "lineage": dict(one.lineage),
        "created_at": one.created_at.isoformat(),
    }
