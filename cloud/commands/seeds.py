"""lineside-cloud seed-models: the documented models, trained on generated rows or on a file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath
from cloud.config import Settings
from cloud.jobs.opening import open_models
from cloud.learning.sheet import Sheet
from cloud.learning.uploads.bounds import Bounds
from cloud.learning.uploads.formats import READERS

_ACTOR = "cli"


def seed_models(
    csv: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Learn from this file; needs --only.")
    ] = None,
    only: Annotated[str, typer.Option(help="The one model to make.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Train and deploy the models that the API's documents name; those that are there already stay."""
    from cloud.learning import seeding  # noqa: PLC0415 - other commands need not wait for what learns

    with records_of(config) as (settings, records):
        sheet = None if csv is None else _read(settings, csv)
        registry = open_models(settings, records, SystemClock())
        seeded = seeding.seed_models(
            registry, by=_ACTOR, only=only, sheet=sheet, told=lambda text: typer.echo(text, err=True)
        )
    if as_json:
        facts = [
            {"model": one.model, "version": one.version, "is_new": one.is_new, "serves": one.serves}
            | {"metrics": dict(one.metrics)}
            for one in seeded
        ]
        typer.echo(json.dumps(facts))
        return
    for one in seeded:
        state = "made" if one.is_new else "is there already"
        typer.echo(f"{one.model}@{one.version}: {state}, {'serves' if one.serves else 'does not serve'}")


def _read(settings: Settings, path: Path) -> Sheet:
    learning = settings.learning
    bounds = Bounds(learning.max_expanded_mib << 20, learning.max_rows, learning.max_columns)
    with path.open("rb") as file:
        return READERS["csv"](file, bounds)
