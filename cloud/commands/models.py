"""lineside-cloud model list|show|publish|import|root|rotate-root."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath, refused, settings_of
from cloud.domain.model import Model, ModelVersion
from cloud.fleet.package_files import PackageFiles
from cloud.jobs.opening import open_models
from cloud.learning.registry import Registry

app = typer.Typer(help="Models: list, show, sign; the root of trust for gateways.", no_args_is_help=True)
_ACTOR = "cli"
ModelName = Annotated[str, typer.Argument(help="The model's name or id.")]
WhichVersion = Annotated[int | None, typer.Option("--version", min=1, help="Absent: the champion, else the newest.")]


@app.command("list")
def list_models(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show all models, each with the version that serves, else its newest."""
    with _registry(config) as registry:
        found = registry.list()
    if as_json:
        typer.echo(json.dumps([_facts(model) for model in found]))
        return
    table = Table(Column("name", no_wrap=True), "for", "version", "stage", "algorithm", "aliases", "published", "id")
    for model in found:
        shown = model.shown
        aliases = " ".join(f"{alias}={version}" for alias, version in sorted(model.aliases.items()))
        stage = model.stage_of(shown).value if shown is not None else ""
        told = (str(shown.version), stage, shown.algorithm) if shown is not None else ("", "", "")
        table.add_row(model.name, model.task.value, *told, aliases, shown.path if shown else "", model.id)
    Console(soft_wrap=True).print(table)


@app.command()
def show(name: ModelName, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show a model with all its versions."""
    with _registry(config) as registry:
        model = registry.get(name)
    if as_json:
        typer.echo(json.dumps(_facts(model)))
        return
    aliases = {version: alias for alias, version in sorted(model.aliases.items())}
    typer.echo(f"{model.name} ({model.id}), for {model.task}, since {model.created_at:%Y-%m-%d %H:%M}")
    for one in model.versions:
        made = f"{one.algorithm}, made {one.created_at:%Y-%m-%d %H:%M} by {one.created_by}"
        words = (str(one.version), model.stage_of(one).value, aliases.get(one.version, ""), made, one.path)
        typer.echo("  ".join(word for word in words if word))
        metrics = " ".join(f"{name}={value:.4g}" for name, value in one.metrics.items())
        typer.echo(f"   {metrics}")


@app.command()
def publish(name: ModelName, version: WhichVersion = None, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Sign a version's package, so that gateways may fetch it."""
    with _registry(config) as registry:
        published = registry.publish(name, version, by=_ACTOR)
    typer.echo(f"{published.label} is signed as {published.path}")


@app.command("import")
def import_package(
    file: Annotated[Path, typer.Argument(help="A package, NAME.lsp.")],
    name: Annotated[str, typer.Option(help="The model it becomes a version of; absent: as the package says.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Take a package made elsewhere over as a new version; it is not signed yet."""
    with _registry(config) as registry:
        made: ModelVersion = registry.add_package(file.read_bytes(), by=_ACTOR, name=name)
    typer.echo(f"{made.label} is there, sha256 {made.sha256}")


@app.command()
def root(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Print the root of trust, root.json, that gateways are enrolled with."""
    with refused():
        files = PackageFiles(settings_of(config).packages_path)
        typer.echo(files.metadata(f"{files.newest_root() or 1}.root.json"), nl=False)


@app.command("rotate-root")
def rotate_root(
    keys: Annotated[Path, typer.Option(help="The folder with the keys that left this server; new ones are put there.")],
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    online: Annotated[bool, typer.Option("--online", help="Replace the keys of this server, too.")] = False,
) -> None:
    """Replace the root and targets keys and make them hold anew; gateways follow by themselves."""
    from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 a quarter of a second, only here

    with refused():
        settings = settings_of(config)
        number = PackageRepository(settings.packages_path, SystemClock()).rotate(keys, online=online)
    typer.echo(f"root {number} holds; {keys} has its keys: the older ones are of no use any more, destroy them")
    typer.echo("Move that folder off this server again.")


@contextmanager
def _registry(config: Path) -> Iterator[Registry]:
    with records_of(config) as (settings, records):
        yield open_models(settings, records, SystemClock())


def _facts(model: Model) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(model)
    return facts
