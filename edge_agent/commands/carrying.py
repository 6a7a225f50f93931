"""`buffer export` and `buffer import`: a stopped gateway's batches, carried to the one that takes its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edge_agent import VERSION
from edge_agent.buffers.carrying import export_buffer, import_buffer
from edge_agent.commands.output import DEFAULT_CONFIG, AsJson, ConfigPath, Exit, complain, load_or_exit, print_json, say
from edge_agent.errors import BufferUnusable, ParcelUnusable
from edge_agent.wiring.run import buffer_place
from edge_agent.wiring.site import SystemClock

ParcelPath = Annotated[Path, typer.Argument(metavar="FILE", help="The file of batches.")]
Waiting = Annotated[bool, typer.Option("--waiting", help="Leave out what the cloud has already.")]


def export(
    file: ParcelPath, config: ConfigPath = DEFAULT_CONFIG, *, waiting: Waiting = False, as_json: AsJson = False
) -> None:
    """Copy all batches to a new file, to be imported elsewhere; nothing is changed. The agent must be stopped."""
    place = buffer_place(load_or_exit(config))
    with _refused("exported"):
        now_us = SystemClock().now_us()
        done = export_buffer(place, file, program=VERSION, at_us=now_us, waiting_only=waiting)
    if as_json:
        print_json({"file": str(file), **asdict(done)})
    else:
        say(f"{file}: {done.batches} batches with {done.readings} readings of {done.epochs} epochs")


def import_batches(file: ParcelPath, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Add exported batches to this gateway's buffer under the keys they have. The agent must be stopped."""
    place = buffer_place(load_or_exit(config))
    with _refused("imported"):
        done = import_buffer(place, file)
    if as_json:
        print_json({"file": str(file), **asdict(done)})
    else:
        say(f"{done.batches} batches with {done.readings} readings were added, {done.known} were known already")


@contextmanager
def _refused(doing: str) -> Iterator[None]:
    try:
        yield
    except (BufferUnusable, ParcelUnusable) as error:
        complain(f"nothing was {doing}: {error}")
        raise typer.Exit(Exit.FAILURE) from error
