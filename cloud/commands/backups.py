"""lineside-cloud backup|restore."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from cloud.backups.taking import Taken, forget_old, has_own_records, take_backup
from cloud.backups.telling import tell_marks
from cloud.clock import SystemClock
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath, refused, settings_of
from cloud.config import Settings
from cloud.errors import Unavailable

_PAUSE_S = 0.005
"""After each 4 MiB, so that a backup takes at most about half of the disk and of a core from what runs."""


def backup(
    directory: Annotated[Path, typer.Argument(help="Where backups lie; this one becomes a new folder in it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    keep: Annotated[int | None, typer.Option(min=1, help="Remove the oldest backups there but so many.")] = None,
    *,
    mark: Annotated[
        bool, typer.Option("--mark/--no-mark", help="Let gateways give up their copies of what is in it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Copy the installation while it runs; say where the verified copy lies."""
    with refused():
        settings = settings_of(config)
        taken = take_backup(settings, directory, config=config, clock=SystemClock(), pause=lambda: time.sleep(_PAUSE_S))
        is_told = mark and _told(settings, taken)
        removed = forget_old(directory, keep=keep) if keep is not None else ()
    if not has_own_records(settings):
        typer.echo("The records are not in it: back up their database too (pg_dump), before this.", err=True)
    if settings.offline_keys_path.is_dir():
        typer.echo(f"{settings.offline_keys_path} is not in it: move that folder off this server.", err=True)
    if as_json:
        typer.echo(json.dumps(_facts(taken, is_told=is_told) | {"removed": [str(path) for path in removed]}))
        return
    size = taken.manifest.size / 2**20
    typer.echo(f"{taken.path}: {len(taken.manifest.files)} files, {size:.1f} MiB, verified")


def restore(
    backup: Annotated[Path, typer.Argument(help="The folder that `backup` made.")],
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    force: Annotated[bool, typer.Option("--force", help="Put the data that are there aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the data; stop `serve` first."""
    from cloud.backups.restoring import restore_backup  # noqa: PLC0415 a quarter of a second that few commands need

    with refused():
        settings = settings_of(config)
        restored = restore_backup(settings, backup, clock=SystemClock(), force=force)
    aside = str(restored.aside) if restored.aside else None
    if as_json:
        typer.echo(json.dumps({"at": restored.manifest.at, "generation": restored.generation, "aside": aside}))
        return
    typer.echo(f"{settings.data}: as of {restored.manifest.at}, generation {restored.generation}")
    if aside:
        typer.echo(f"{aside}: holds what was there before")
    typer.echo("Start lineside-cloud serve: gateways send by themselves what they still hold.")


def _told(settings: Settings, taken: Taken) -> bool:
    try:
        tell_marks(settings, taken.marks, SystemClock())
    except Unavailable as error:
        typer.echo(f"The backup is complete, but gateways were not told of it; the next one will: {error}", err=True)
        return False
    return True


def _facts(taken: Taken, *, is_told: bool) -> dict[str, object]:
    manifest = taken.manifest
    return {
        "path": str(taken.path),
        "at": manifest.at,
        "generation": manifest.generation,
        "size_bytes": manifest.size,
        "files": len(manifest.files),
        "epochs_told": len(taken.marks) if is_told else None,
    }
