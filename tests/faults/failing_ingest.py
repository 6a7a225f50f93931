"""The ingest process with a failpoint by the name of `between-commit-and-ack`: it dies there when it is told to.

Run as `python -m tests.faults.failing_ingest CONFIG`. It is the product's own process with a hook put in by its wiring;
a file named `between-commit-and-ack` beside the configuration arms it, and is taken away by the death.
"""

import os
import signal
import sys
from pathlib import Path

from cloud.config import load_settings
from cloud.logs import configure_logs
from cloud.processes.ingest import serve_ingest
from cloud.processes.tether import Tether
from cloud.setup import make_directory

FAILPOINT = "between-commit-and-ack"


def main() -> None:
    """Take readings in until SIGTERM, or until the failpoint."""
    config = Path(sys.argv[1])
    armed = config.with_name(FAILPOINT)
    settings = load_settings(config)
    configure_logs(settings.log.level)
    make_directory(settings)
    serve_ingest(settings, Tether(config), committed=lambda: _die_if(armed))


def _die_if(armed: Path) -> None:
    if armed.exists():
        armed.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
