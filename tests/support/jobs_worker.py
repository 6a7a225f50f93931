"""A worker to be killed: runs the jobs of a data directory for ever."""

import sys
import time
from pathlib import Path

from cloud.clock import SystemClock
from cloud.config import parse_settings
from cloud.jobs.runner import Runner
from cloud.records.database import Records
from tests.support.jobs import COMMAND

if __name__ == "__main__":
    settings = parse_settings({"mqtt": None}, origin="test", base=Path(sys.argv[1]))
    runner = Runner(Records(settings.records_url), SystemClock(), settings.model_dump_json(), most=2, command=COMMAND)
    while True:
        runner.look()
        time.sleep(0.02)
