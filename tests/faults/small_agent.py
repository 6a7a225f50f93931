"""The agent with a buffer of 1 MiB, which the configuration does not allow, so that it fills up while one waits.

Run as `python -m tests.faults.small_agent CONFIG`. It is the product's own agent with other settings.
"""

import asyncio
import os
import sys
from pathlib import Path

from msgspec.structs import replace

from edge_agent.config.load import load
from edge_agent.watch.logs import start_logging
from edge_agent.wiring.run import run_settings

BUFFER_MIB = 1


def main() -> None:
    """Run until SIGTERM; the exit code is 0 where every reading that was taken is stored."""
    settings = load(Path(sys.argv[1]), os.environ)
    settings = replace(settings, buffer=replace(settings.buffer, max_size_mib=BUFFER_MIB))
    start_logging(settings.gateway, settings.watch.log_level)
    sys.exit(not asyncio.run(run_settings(settings, os.environ)))


if __name__ == "__main__":
    main()
