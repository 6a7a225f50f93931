"""Sees to it that no wheel is built without the console: hatchling asks before it packs."""  # noqa: INP001 - no package, but what hatchling loads by its path

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONSOLE = Path("cloud", "console", "static", "index.html")
STANDARD = "standard"
"""What hatchling calls a wheel with everything in it; an editable one names folders only."""


class ConsoleIsThere(BuildHookInterface[Any]):
    """Refuses a wheel whose server would have nothing to show to people."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raise FileNotFoundError where the console was not built; build_data is left as it is."""
        del build_data
        if version == STANDARD and not Path(self.root, CONSOLE).is_file():
            raise FileNotFoundError(f"{CONSOLE} is not there: run `make console` before you build a wheel")
