"""lineside-cloud rollout start|list|show|pause|resume|approve|rollback."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath
from cloud.config import Settings
from cloud.domain.rollout import Rollout, Rules, Target
from cloud.domain.times import to_text
from cloud.errors import Invalid
from cloud.fleet.rollouts import Rollouts, Whereto, counted
from cloud.fleet.standings import Standings
from cloud.jobs.opening import open_models
from cloud.learning.registry import Registry
from cloud.storage.chunks.database import Database
from protocols.wanted import Phase

app = typer.Typer(help="Rollouts: bring a model to the gateways, group by group.", no_args_is_help=True)
_ACTOR = "cli"
_DEFAULT = Rules()
RolloutId = Annotated[str, typer.Argument(help="The rollout's id, as `rollout list` shows it.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    settings: Settings
    models: Registry
    rollouts: Rollouts


@app.command()
def start(  # noqa: PLR0913, PLR0917 - each is an option with a default
    name: Annotated[str, typer.Argument(help="The model's name or id.")],
    version: Annotated[int | None, typer.Option(min=1, help="Absent: the champion, else the newest.")] = None,
    gateway: Annotated[list[str] | None, typer.Option(help="Names or patterns such as `line-2-*`; repeat.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="Absent: those that the model learned from.")] = None,
    groups: Annotated[str, typer.Option(help="Percent that have been told once each group has begun.")] = "5,25,100",
    success: Annotated[float, typer.Option(help="Percent of a group that must serve it.")] = _DEFAULT.success_percent,
    error: Annotated[float, typer.Option(help="More failures stop it, in percent.")] = _DEFAULT.error_percent,
    soak: Annotated[float, typer.Option(help="Seconds that a good group is left alone.")] = _DEFAULT.soak_s,
    answer: Annotated[float, typer.Option(help="Seconds that a gateway may say nothing.")] = _DEFAULT.answer_s,
    shadow_rows: Annotated[int, typer.Option(help="Rows beside the serving model.")] = _DEFAULT.shadow_rows,
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    approve_each: Annotated[bool, typer.Option("--approve-each", help="Wait for `approve` between groups.")] = False,
    shadow_only: Annotated[bool, typer.Option("--shadow-only", help="Let it decide nothing.")] = False,
) -> None:
    """Sign a version if need be and bring it to the gateways; the worker of `serve` does the rest."""
    with _desk(config) as desk:
        rules = Rules(
            groups=_groups(groups),
            success_percent=success,
            error_percent=error,
            soak_s=soak,
            answer_s=answer,
            shadow_rows=shadow_rows,
            phase=Phase.SHADOW if shadow_only else Phase.SERVING,
            needs_approval=approve_each,
        )
        with closing(Database(desk.settings.readings_path, read_only=True)) as roster:
            fleet = Standings(roster).all()
        found = desk.models.publish(name, version, by=_ACTOR)
        whereto = Whereto(tuple(gateway or ("*",)), tuple(device or ()))
        made = desk.rollouts.start(found.model, found.version, rules=rules, whereto=whereto, fleet=fleet, by=_ACTOR)
        _tell(*desk.rollouts.get(made.id))


@app.command("list")
def list_rollouts(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most to show.")] = 20,
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Show rollouts, the newest first."""
    with _desk(config) as desk:
        found = [desk.rollouts.get(one.id) for one in desk.rollouts.list(limit=limit)[0]]
    if as_json:
        typer.echo(json.dumps([_facts(rollout, targets) for rollout, targets in found]))
        return
    for rollout, targets in found:
        _tell(rollout, targets)
        typer.echo(f"   group {rollout.group + 1}, begun {to_text(rollout.created_us)} by {rollout.created_by}")


@app.command()
def show(rollout_id: RolloutId, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show one rollout with the verdict on every device."""
    with _desk(config) as desk:
        rollout, targets = desk.rollouts.get(rollout_id)
    if as_json:
        typer.echo(json.dumps(_facts(rollout, targets) | {"members": msgspec.to_builtins(targets)}))
        return
    _tell(rollout, targets)
    table = Table("gateway", "device", "group", "verdict", "reason")
    for one in targets:
        table.add_row(one.gateway, one.device, str(one.group + 1), one.verdict.value, one.reason)
    Console(soft_wrap=True).print(table)


@app.command()
def pause(rollout_id: RolloutId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Let no new group begin; failures stop it all the same."""
    with _desk(config) as desk:
        _tell(desk.rollouts.pause(rollout_id, by=_ACTOR))


@app.command()
def resume(rollout_id: RolloutId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Go on after a pause."""
    with _desk(config) as desk:
        _tell(desk.rollouts.resume(rollout_id, by=_ACTOR))


@app.command()
def approve(rollout_id: RolloutId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Let the next group begin where it waits for that."""
    with _desk(config) as desk:
        _tell(desk.rollouts.approve(rollout_id, by=_ACTOR))


@app.command()
def rollback(
    rollout_id: RolloutId,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Tell all its gateways the model before, at once."""
    with _desk(config) as desk:
        _tell(desk.rollouts.roll_back(rollout_id, by=_ACTOR, reason=reason))


@contextmanager
def _desk(config: Path) -> Iterator[_Desk]:
    with records_of(config) as (settings, records):
        clock = SystemClock()
        yield _Desk(settings, open_models(settings, records, clock), Rollouts(records, clock))


def _groups(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid(f"--groups {text!r}: write percents such as 5,25,100") from error


def _tell(rollout: Rollout, targets: Sequence[Target] = ()) -> None:
    more = f", {_in_words(targets)}" if targets else ""
    why = f": {rollout.reason}" if rollout.reason else ""
    typer.echo(f"{rollout.id}: {rollout.model}@{rollout.version} is {rollout.state}{more}{why}")


def _in_words(targets: Sequence[Target]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counted(targets).items() if count)


def _facts(rollout: Rollout, targets: Sequence[Target]) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(rollout)
    return facts | {"targets": counted(targets)}
