"""The worker process: alarms, rollouts, jobs and schedules; everything that goes on without a request."""

import signal
import sys
import threading

from cloud.chores import run_chores
from cloud.clock import SystemClock
from cloud.config import Settings, load_settings
from cloud.logs import configure_logs
from cloud.processes.tether import Tether
from cloud.working import open_chores


def serve_worker(settings: Settings, tether: Tether) -> None:
    """Work until SIGTERM; raise InvalidConfig, Unavailable."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    chores, close = open_chores(settings, SystemClock())
    try:
        tether.tell_ready({"chores": len(chores)})
        run_chores(chores, stop)
    finally:
        close()


def main() -> None:
    """Run as a child of the supervisor."""
    tether = Tether.parse(sys.argv[1:])
    settings = load_settings(tether.config)
    configure_logs(settings.log.level, settings.log_level_path)
    tether.hold()
    serve_worker(settings, tether)


if __name__ == "__main__":
    main()
