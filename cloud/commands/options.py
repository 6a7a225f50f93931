"""What all commands share: the configuration's path, and how a refusal is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cloud.config import Settings, load_settings
from cloud.errors import CloudError

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
DEFAULT_CONFIG = Path("lineside-cloud.yaml")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def refused() -> Iterator[None]:
    """Tell what went wrong in words and end with 1."""
    try:
        yield
    except (CloudError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def settings_of(config: Path) -> Settings:
    """Return the settings; raise InvalidConfig."""
    return load_settings(config)
