"""lineside-cloud serve: the supervisor of all processes, or one of them in the foreground."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cloud.clock import SystemClock
from cloud.commands.options import DEFAULT_CONFIG, ConfigPath, refused, settings_of
from cloud.config import Settings
from cloud.diagnosis import may_listen
from cloud.errors import InvalidConfig
from cloud.listening import address, listen
from cloud.logs import configure_logs
from cloud.processes.tether import Tether
from cloud.setup import make_directory, migrate
from cloud.supervise import Household, become_supervisor


class Part(StrEnum):
    """One of the processes."""

    API = "api"
    INGEST = "ingest"
    WORKER = "worker"


def serve(
    config: ConfigPath = DEFAULT_CONFIG,
    only: Annotated[Part | None, typer.Option(help="Run one process in the foreground.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write addresses here as JSON once all serve.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Instead of the configured port.")] = None,
) -> None:
    """Run the cloud: ingest, API and worker, each in a process of its own, until SIGTERM."""
    with refused():
        settings = settings_of(config)
        configure_logs(settings.log.level)
        if port is not None:
            settings = settings.model_copy(update={"api": settings.api.model_copy(update={"port": port})})
        _serve(settings, config, only, ready_file)


def _serve(settings: Settings, config: Path, only: Part | None, ready_file: Path | None) -> None:
    alone = Tether(config)
    match only:
        case Part.INGEST:
            from cloud.processes.ingest import serve_ingest  # noqa: PLC0415 only where it runs here

            make_directory(settings)
            serve_ingest(settings, alone)
        case Part.API:
            from cloud.processes.api import serve_api  # noqa: PLC0415 only where it runs here

            _require_keys(settings)
            serve_api(settings, alone)
        case Part.WORKER:
            from cloud.processes.worker import serve_worker  # noqa: PLC0415 only where it runs here

            serve_worker(settings, alone)
        case None:
            _serve_all(settings, config, ready_file)


def _serve_all(settings: Settings, config: Path, ready_file: Path | None) -> None:
    make_directory(settings)
    migrate(settings, SystemClock())
    _require_keys(settings)
    bound = listen(settings)
    os.set_inheritable(bound.fileno(), True)  # noqa: FBT003 the standard library's own signature
    typer.echo(f"lineside-cloud will serve at {address(bound)}", err=True)
    household = Household(config, bound.fileno(), settings.log.level, ready_file, settings.instances_path)
    household.forget_ready()
    become_supervisor(household)


def _require_keys(settings: Settings) -> None:
    check = may_listen(settings, SystemClock())
    if not check.is_well:
        raise InvalidConfig([f"api.host: {check.finding}: {check.fix}"])
