"""lineside-cloud alarm list|show|ack|shelve|unshelve|clear|assign|comment|label."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from cloud.clock import SystemClock
from cloud.commands.opened import records_of
from cloud.commands.options import DEFAULT_CONFIG, AsJson, ConfigPath
from cloud.domain.alarm import Alarm, AlarmState, Severity
from cloud.domain.label import Verdict
from cloud.domain.times import to_text
from cloud.errors import Invalid, NotFound
from cloud.operations.alarms import Alarms
from cloud.records.alarms import AlarmFilter
from cloud.records.devices import list_devices

app = typer.Typer(help="Alarms: see, acknowledge, shelve, comment, label.", no_args_is_help=True)
_ACTOR = "cli"
_UNITS_S = {"m": 60.0, "h": 3600.0}
_LIVE = tuple(state for state in AlarmState if state is not AlarmState.NORMAL)
AlarmId = Annotated[str, typer.Argument(help="The alarm's id, as `alarm list` shows it.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    alarms: Alarms
    names: dict[tuple[str, str], str]

    def name(self, alarm: Alarm) -> str:
        source, device = alarm.condition[:2]
        return self.names.get((source, device), device or source)

    def named(self, shown: str) -> tuple[str, str]:
        found = next((key for key, name in self.names.items() if name == shown), None)
        if found is None:
            raise NotFound(f"there is no device {shown!r}", code="DEVICE_NOT_FOUND")
        return found

    def facts(self, alarm: Alarm) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(alarm)
        return {"device_id": self.name(alarm), "state": alarm.state.value} | plain


@app.command("list")
def list_alarms(
    device: Annotated[str, typer.Option(help="Only of this device.")] = "",
    state: Annotated[list[AlarmState] | None, typer.Option(help="Only in this state; repeat for more.")] = None,
    severity: Annotated[list[Severity] | None, typer.Option(help="Only so bad; repeat for more.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most to show.")] = 50,
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show alarms, the newest first."""
    states = tuple(state or (() if everything else _LIVE))
    with _desk(config) as desk:
        source, name = desk.named(device) if device else (None, None)
        wanted = AlarmFilter(source=source, device=name, states=states, severities=tuple(severity or ()))
        found, total = desk.alarms.list(wanted, limit=limit)
        if as_json:
            typer.echo(json.dumps([desk.facts(alarm) for alarm in found]))
            return
        table = Table(Column("id", no_wrap=True), "raised", "severity", "state", "device", "times", "message")
        for alarm in found:
            severity_word = alarm.finding.severity.value
            facts = (alarm.id, to_text(alarm.raised_us), severity_word, alarm.state.value, desk.name(alarm))
            table.add_row(*facts, str(alarm.occurrences), alarm.finding.message)
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(found)} of {total}", err=True)


@app.command()
def show(alarm_id: AlarmId, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show one alarm, what was written beside it, and what became of it."""
    with _desk(config) as desk:
        story = desk.alarms.get(alarm_id)
        comments = [{"by": one.by, "at": one.at.isoformat(), "text": one.text} for one in story.comments]
        facts = desk.facts(story.alarm) | {"comments": comments}
    if as_json:
        typer.echo(json.dumps(facts))
        return
    _say(story.alarm)
    for one in story.comments:
        typer.echo(f"  {one.at:%Y-%m-%d %H:%M} {one.by}: {one.text}")
    for entry in story.history:
        typer.echo(f"  {entry.at:%Y-%m-%d %H:%M:%S} {entry.actor} {entry.action}")


@app.command()
def ack(
    alarm_ids: Annotated[list[str], typer.Argument(help="The ids of the alarms.")],
    comment: Annotated[str, typer.Option(help="What to write beside them.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Acknowledge alarms, all or none; the first one who did is kept."""
    with _desk(config) as desk:
        for alarm in desk.alarms.acknowledge_many(alarm_ids, by=_ACTOR, comment=comment):
            _say(alarm)


@app.command()
def shelve(
    alarm_id: AlarmId,
    for_: Annotated[str, typer.Option("--for", help="How long: 15m to 12h.")],
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    *,
    one_shot: Annotated[bool, typer.Option("--one-shot", help="No longer than until it clears.")] = False,
) -> None:
    """Put an alarm out of sight for a while; it comes back by itself."""
    with _desk(config) as desk:
        _say(desk.alarms.shelve(alarm_id, for_s=seconds(for_), by=_ACTOR, why=comment, is_one_shot=one_shot))


@app.command()
def unshelve(alarm_id: AlarmId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Bring an alarm back into sight before its time."""
    with _desk(config) as desk:
        _say(desk.alarms.unshelve(alarm_id, by=_ACTOR))


@app.command()
def clear(
    alarm_id: AlarmId,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Declare its condition over, as for one that nothing clears by itself."""
    with _desk(config) as desk:
        _say(desk.alarms.clear(alarm_id, by=_ACTOR, comment=comment))


@app.command()
def assign(
    alarm_id: AlarmId,
    to: Annotated[str, typer.Argument(help="Who sees to it; an empty name: nobody.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Put an alarm into somebody's hands."""
    with _desk(config) as desk:
        _say(desk.alarms.assign(alarm_id, to, by=_ACTOR))


@app.command()
def comment(alarm_id: AlarmId, text: str, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Write something beside an alarm."""
    with _desk(config) as desk:
        _say(desk.alarms.comment(alarm_id, text, by=_ACTOR).alarm)


@app.command()
def label(
    alarm_id: AlarmId,
    verdict: Annotated[Verdict, typer.Argument(help="What it really was.")],
    kind: Annotated[str, typer.Option(help="Of fault, in your words.")] = "",
    note: Annotated[str, typer.Option(help="Anything else.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say what an alarm really was: models learn from its window."""
    with _desk(config) as desk:
        alarm, made = desk.alarms.label(alarm_id, verdict, by=_ACTOR, kind=kind, note=note)
    typer.echo(f"{alarm.id} is a {made.verdict}, from {to_text(made.from_us)} to {to_text(made.to_us)}")


def seconds(text: str) -> float:
    """Return a time such as `15m` or `2h` in seconds; raise Invalid."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or not number.isascii() or unit not in _UNITS_S:
        raise Invalid(f"--for {text!r}: write minutes or hours such as 15m or 2h")
    return int(number) * _UNITS_S[unit]


@contextmanager
def _desk(config: Path) -> Iterator[_Desk]:
    with records_of(config) as (_, records):
        with records.reading() as session:
            names = {(one.source, one.device_id): one.shown_id for one in list_devices(session)}
        yield _Desk(Alarms(records, SystemClock()), names)


def _say(alarm: Alarm) -> None:
    typer.echo(f"{alarm.id} {alarm.state} {alarm.finding.severity}: {alarm.finding.message}")
