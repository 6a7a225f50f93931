"""lineside-cloud: init, serve, migrate, backup, restore, key, user, alarm, model, rollout, doctor, openapi.

A command loads what only it needs when it runs: the web framework takes a second that `key` need not wait for.
"""

import json
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cloud.clock import SystemClock
from cloud.commands.alarms import app as alarms
from cloud.commands.backups import backup, restore
from cloud.commands.keys import app as keys
from cloud.commands.learning import datasets_app, jobs_app, train
from cloud.commands.models import app as models
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath, refused, settings_of
from cloud.commands.rollouts import app as rollouts
from cloud.commands.seeds import seed_models
from cloud.commands.serve import serve
from cloud.commands.users import app as users
from cloud.config import Settings
from cloud.diagnosis import diagnose
from cloud.setup import make_directory, make_signing_keys, migrate, write_config, write_first_key, write_setup_token

app = typer.Typer(help="The cloud of Lineside.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(keys, name="key")
app.add_typer(users, name="user")
app.add_typer(alarms, name="alarm")
app.add_typer(models, name="model")
app.add_typer(rollouts, name="rollout")
app.add_typer(jobs_app, name="job")
app.add_typer(datasets_app, name="dataset")
app.command()(serve)
app.command()(backup)
app.command()(restore)
app.command()(train)
app.command()(seed_models)
_DISTRIBUTION = "lineside"


@app.command()
def init(
    config: ConfigPath = DEFAULT_CONFIG,
    data: Annotated[str, typer.Option(help="The data directory, seen from the configuration file.")] = "data",
    key_file: Annotated[Path | None, typer.Option(help="Make a first admin key and write it here.")] = None,
) -> None:
    """Make the configuration file, the data directory and both databases; what is there already stays."""
    with refused():
        config.parent.mkdir(parents=True, exist_ok=True)
        made = write_config(config, data)
        typer.echo(f"{config}: {'written' if made else 'is there already'}")
        settings = settings_of(config)
        make_directory(settings)
        typer.echo(f"{settings.data}: ready, records at version {migrate(settings, SystemClock())}")
        _sign(settings)
        if write_setup_token(settings, SystemClock()):
            typer.echo(f"{settings.setup_token_path}: holds the token by which the first administrator registers")
        if key_file is not None:
            prefix = write_first_key(settings, SystemClock(), key_file)
            typer.echo(f"{key_file}: holds the admin key {prefix}")


@app.command("migrate")
def migrate_command(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Bring both databases to this program's version; stop `serve` first."""
    with refused():
        settings = settings_of(config)
        make_directory(settings)
        typer.echo(f"records are at version {migrate(settings, SystemClock())}")
        _sign(settings)


def _sign(settings: Settings) -> None:
    if make_signing_keys(settings, SystemClock()):
        keys = settings.offline_keys_path
        typer.echo(f"{keys}: holds the keys that say who may sign models")
        typer.echo("Move that folder off this server now, and keep it safe: only a rotation of the root needs it.")


@app.command()
def doctor(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Look at everything and say what to do; ends with 1 where something is not well."""
    with refused():
        checks = list(diagnose(settings_of(config), SystemClock()))
    if as_json:
        facts = [{"name": one.name, "is_well": one.is_well, "finding": one.finding, "fix": one.fix} for one in checks]
        typer.echo(json.dumps(facts, indent=1))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for one in checks:
            console.print(f"{'ok  ' if one.is_well else 'FAIL'} {one.name}: {one.finding}", markup=False)
            if one.fix:
                console.print(f"     -> {one.fix}", markup=False)
    if not all(one.is_well for one in checks):
        raise typer.Exit(1)


@app.command()
def openapi(
    *, aliases: Annotated[bool, typer.Option("--aliases", help="The operations as they are under /api.")] = False
) -> None:
    """Print the OpenAPI document."""
    from cloud.app import alias_api, bare_api  # noqa: PLC0415 see above

    number = installed(_DISTRIBUTION)
    document = (alias_api(number) if aliases else bare_api(number)).openapi()
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed(_DISTRIBUTION))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
