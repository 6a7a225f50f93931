"""lineside-cloud user create|list|role|password|disable|enable|delete|invite, and sign-out for everybody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cloud.access.opening import open_access, open_token_keys
from cloud.access.users import Change, Newcomer, Users
from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath, refused, settings_of
from cloud.domain.role import Role
from cloud.domain.user import User

app = typer.Typer(help="People who log in: make, change, shut out, invite.", no_args_is_help=True)
_ACTOR = "cli"
Name = Annotated[str, typer.Argument(help="The name that the user logs in with.")]
PasswordFile = Annotated[Path | None, typer.Option(help="Read the password here; without it you are asked.")]


@app.command()
def create(
    name: Name,
    email: Annotated[str, typer.Option(help="The user's e-mail address.")],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.USER,
    password_file: PasswordFile = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make a user."""
    with _users(config) as users:
        user = users.create(Newcomer(name, email, _password(password_file)), role, by=_ACTOR)
    typer.echo(f"{user.name} may log in as {user.role}")


@app.command("list")
def list_all(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show all users."""
    with _users(config) as users:
        found = users.list()
    if as_json:
        typer.echo(json.dumps([_facts(user) for user in found]))
        return
    table = Table("id", "name", "e-mail", "role", "created", "last log-in", "")
    for user in found:
        times = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (user.created_at, user.last_login_at))
        table.add_row(str(user.id), user.name, user.email, user.role, *times, "shut out" if user.is_disabled else "")
    Console().print(table)


@app.command("role")
def change_role(name: Name, role: Role, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Give a user another role; sessions end within a second."""
    _change(config, name, Change(role=role))
    typer.echo(f"{name} is now {role}")


@app.command()
def password(name: Name, password_file: PasswordFile = None, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Give a user another password; sessions end within a second."""
    with _users(config) as users:
        users.set_password(users.named(name).id, _password(password_file), by=_ACTOR)
    typer.echo(f"{name} has another password")


@app.command()
def disable(name: Name, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Shut a user out; sessions end within a second."""
    _change(config, name, Change(is_disabled=True))
    typer.echo(f"{name} is shut out")


@app.command()
def enable(name: Name, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Let a user in again."""
    _change(config, name, Change(is_disabled=False))
    typer.echo(f"{name} may log in again")


@app.command()
def delete(name: Name, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Forget a user; what it did stays in the audit."""
    with _users(config) as users:
        users.delete(users.named(name).id, by=_ACTOR)
    typer.echo(f"{name} is deleted")


@app.command()
def invite(
    role: Annotated[Role, typer.Option(help="The role that the user will have.")] = Role.USER,
    email: Annotated[str, typer.Option(help="Only somebody with this e-mail address may use it.")] = "",
    hours: Annotated[int, typer.Option(min=1, max=24 * 90, help="How long it can be used.")] = 24 * 7,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make a token with which somebody registers once, and show it, this once."""
    with _users(config) as users:
        token, kept = users.invite(role, by=_ACTOR, email=email, lasts=timedelta(hours=hours))
    typer.echo(token)
    typer.echo(
        f"It makes one {kept.role}, until {kept.expires_at:%Y-%m-%d %H:%M} UTC; it is not shown again.", err=True
    )


@app.command("rotate-tokens")
def rotate_tokens(
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    now: Annotated[bool, typer.Option("--now", help="Void the old ones at once: everybody logs in again.")] = False,
) -> None:
    """Sign tokens with a new key from now on; those signed with older ones hold until they end."""
    with refused():
        settings = settings_of(config)
        keep_for = None if now else timedelta(days=settings.auth.session_days)
        made = open_token_keys(settings, SystemClock()).rotate(keep_for=keep_for)
    typer.echo(f"tokens are signed with the key {made.id}" + (": everybody has to log in again" if now else ""))


def _change(config: Path, name: str, change: Change) -> None:
    with _users(config) as users:
        users.change(users.named(name).id, change, by=_ACTOR)


def _password(path: Path | None) -> str:
    if path is not None:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    told: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return told


@contextmanager
def _users(config: Path) -> Iterator[Users]:
    with records_of(config) as (settings, records):
        yield open_access(settings, records, SystemClock()).users


def _facts(user: User) -> dict[str, Any]:
    def shown(at: datetime | None) -> str | None:
        return at.isoformat() if at is not None else None

    return {
        "id": user.id,
        "username": user.name,
        "email": user.email,
        "role": user.role.value,
        "disabled": user.is_disabled,
        "created_at": shown(user.created_at),
        "last_login_at": shown(user.last_login_at),
    }
