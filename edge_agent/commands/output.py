"""How commands speak: tables and sentences for people, JSON for programs, exit codes for both."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edge_agent.config.load import load
from edge_agent.config.schema import AgentSettings
from edge_agent.errors import InvalidConfig

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The agent's configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DEFAULT_CONFIG = Path("agent.yaml")


class Exit(IntEnum):
    """What the exit code of every command means."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 3


def say(text: str) -> None:
    """Print a line to standard output as it is, whatever the terminal can show."""
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def complain(text: str) -> None:
    """Print a line to standard error as it is."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(text)


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something goes on; yield what to call with news of it. Nothing is shown elsewhere."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(text) as status:
        yield lambda news: status.update(f"{text}: {news}")


def print_json(document: object) -> None:
    """Print a document as JSON, never wrapped or coloured."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table that fits the terminal; a pipe gets every column whole."""
    console = Console(highlight=False)
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    if not console.is_terminal:
        console.width = 500
    console.print(table)


def load_or_exit(path: Path) -> AgentSettings:
    """Return the settings; print every finding and exit with 3 where there are any."""
    try:
        return load(path, os.environ)
    except InvalidConfig as error:
        for finding in error.findings:
            complain(str(finding))
        raise typer.Exit(Exit.CONFIGURATION) from error
