"""A further worker that runs jobs and nothing else: chores are done by one worker only."""

import signal
import sys
import threading

from cloud.chores import run_chores
from cloud.clock import SystemClock
from cloud.config import Settings, load_settings
from cloud.logs import configure_logs
from cloud.processes.tether import Tether
from cloud.working import open_job_chores


def serve_jobs(settings: Settings, tether: Tether) -> None:
    """Run jobs until SIGTERM; raise InvalidConfig, Unavailable."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    chores, close = open_job_chores(settings, SystemClock())
    try:
        tether.tell_ready({})
        run_chores(chores, stop)
    finally:
        close()


def main() -> None:
    """Run as a child of the supervisor."""
    tether = Tether.parse(sys.argv[1:])
    settings = load_settings(tether.config)
    configure_logs(settings.log.level, settings.log_level_path)
    tether.hold()
    serve_jobs(settings, tether)


if __name__ == "__main__":
    main()
