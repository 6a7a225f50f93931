"""`make bench-ml DATA=folder`: every table of what was learned, on recordings laid out as the documentation says."""

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Protocol

import typer

from tests.bench.ml.table import Table

BENCHES = ("skab", "cost", "nab", "plant", "healthy", "tabular", "turbofan", "forecast", "drift", "failure", "health")
"""Modules of this folder; each yields its tables, none where its recordings are not in the folder."""


class Bench(Protocol):
    """What each module offers."""

    def tables(self, data: Path) -> Iterator[Table]:
        """Yield tables as they come to be."""


def main(
    data: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of recordings.")],
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(BENCHES)}; repeat.")] = None,
) -> None:
    """Print the tables."""
    for name in only or BENCHES:
        bench: Bench = importlib.import_module(f"tests.bench.ml.{name}")
        begun_s = time.monotonic()
        for table in bench.tables(data):
            sys.stdout.write(table.text() + "\n")
            sys.stdout.flush()
        sys.stdout.write(f"({name}: {time.monotonic() - begun_s:.0f} s)\n")


if __name__ == "__main__":
    typer.run(main)
