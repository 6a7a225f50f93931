"""lineside-cloud key create|list|rotate|revoke."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cloud.access.keys import Keys
from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath
from cloud.domain.api_key import ApiKey
from cloud.domain.scopes import SCOPES, Scope
from cloud.domain.times import to_datetime
from cloud.errors import Invalid

app = typer.Typer(help="API keys: make, list, take back.", no_args_is_help=True)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_ACTOR = "cli"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat for more.")],
    expires: Annotated[str, typer.Option(help="After so long: 12h, 30d, 8w; or a date.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once."""
    with _keys(config) as keys:
        ends = expiry(expires, now=to_datetime(SystemClock().now_us())) if expires else None
        text, key = keys.create(name, scope, by=_ACTOR, expires_at=ends)
    if as_json:
        typer.echo(json.dumps(_facts(key) | {"key": str(text)}))
        return
    typer.echo(str(text))
    typer.echo("Keep it now: it is not shown again.", err=True)


@app.command("list")
def list_all(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show all keys without their secrets."""
    with _keys(config) as keys:
        found = keys.list()
    if as_json:
        typer.echo(json.dumps([_facts(key) for key in found]))
        return
    table = Table("prefix", "name", "scopes", "created", "expires", "last used", "revoked")
    for key in found:
        times = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
        table.add_row(
            key.prefix, key.name, " ".join(sorted(key.scopes)), *(f"{at:%Y-%m-%d %H:%M}" if at else "" for at in times)
        )
    Console().print(table)


@app.command()
def rotate(prefix: str, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Put a new key in the place of an old one and show it, this once; the old one holds for a day, by the settings."""
    with _keys(config) as keys:
        text, key, old = keys.rotate(prefix, by=_ACTOR)
    if as_json:
        typer.echo(json.dumps({"new": _facts(key) | {"key": str(text)}, "old": _facts(old)}))
        return
    typer.echo(str(text))
    ends = f"{old.expires_at:%Y-%m-%d %H:%M}" if old.expires_at else "it is revoked"
    typer.echo(f"Keep it now: it is not shown again. {prefix} holds until {ends} UTC.", err=True)


@app.command()
def revoke(prefix: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Take a key back; running servers refuse it within a second."""
    with _keys(config) as keys:
        key = keys.revoke(prefix, by=_ACTOR)
    typer.echo(f"{key.prefix} ({key.name}) is revoked")


@app.command()
def scopes() -> None:
    """Show what each scope allows."""
    for scope, meaning in SCOPES.items():
        typer.echo(f"{scope:18} {meaning}")


def expiry(text: str, *, now: datetime) -> datetime:
    """Return when a key ends, from `30d` or a date; raise Invalid where it is neither, or is over."""
    number, unit = text[:-1], text[-1:]
    if number.isdigit() and unit in _UNITS:
        return now + timedelta(**{_UNITS[unit]: int(number)})
    try:
        ends = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"--expires {text!r}: write 12h, 30d, 8w or a date such as 2027-01-31") from error
    ends = ends if ends.tzinfo is not None else ends.replace(tzinfo=now.tzinfo)
    if ends <= now:
        raise Invalid(f"--expires {text!r} is over already")
    return ends


@contextmanager
def _keys(config: Path) -> Iterator[Keys]:
    with records_of(config) as (_, records):
        yield Keys(records, SystemClock())


def _facts(key: ApiKey) -> dict[str, Any]:
    def shown(at: datetime | None) -> str | None:
        return at.isoformat() if at is not None else None

    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": shown(key.created_at),
        "expires_at": shown(key.expires_at),
        "last_used_at": shown(key.last_used_at),
        "revoked_at": shown(key.revoked_at),
        "rotated_from": key.rotated_from,
        "rotated_at": shown(key.rotated_at),
    }
