"""The entry point: `run` goes straight to the agent, every other word to the commands, so that `run` starts fast.

Typer and rich cost 9 MiB and a third of a second, which a gateway that only runs never pays.
"""

import gc
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line and exit with its code."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: each of its threads costs memory
    match sys.argv[1:]:
        case ["run", config] if not config.startswith("-"):
            gc.disable()  # until the agent runs: nothing that a start makes is garbage
            from edge_agent.wiring.run import run_agent  # noqa: PLC0415 - after the variable is set

            raise SystemExit(run_agent(Path(config), os.environ))
        case _:
            from edge_agent.commands.app import app  # noqa: PLC0415 - typer and rich only where they are used

            app()
