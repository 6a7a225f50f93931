"""Rows: a store that takes nothing, or that comes back from a backup."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil

from deploy.line import command
from deploy.supervise import descendants, run_to_end
from tests.faults.programs import CLOUD, Needs
from tests.faults.row import Row
from tests.faults.stage import Stage

REFUSES = "the store takes no readings"
LOG_ROOM_BYTES = 16 * 1024
GATEWAYS = ("gw-2", "gw-3")


def store_refuses(stage: Stage, rng: random.Random) -> None:
    """Let the writer's files grow no further for a while, as on a full disk."""
    writer = psutil.Process(_writer(stage))
    before = _refusals(stage)
    stage.journal.tell("the writer's files cannot grow")
    # The log is one of its files, and must have room to say that the store has none.
    size = _log(stage).stat().st_size + LOG_ROOM_BYTES + rng.randrange(4096, 65536)
    writer.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))
    stage.wait(lambda: _refusals(stage) > before)
    stage.last(rng.uniform(1.0, 5.0))
    writer.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    stage.journal.tell("the writer's files can grow again")


def store_locked(stage: Stage, rng: random.Random) -> None:
    """Hold the store's file, as a careless copy or another program does, for longer than the writer waits."""
    before = _refusals(stage)
    with closing(sqlite3.connect(stage.readings, isolation_level=None)) as other:
        other.execute("begin immediate")
        stage.journal.tell("somebody else writes to the store's file")
        stage.wait(lambda: _refusals(stage) > before)
        stage.last(rng.uniform(0.0, 3.0))
        other.execute("rollback")
    stage.journal.tell("nobody else writes to it any more")


def store_restored(stage: Stage, rng: random.Random) -> None:
    """Go back to a backup, now and then twice to the same one; further gateways hold readings besides the first."""
    for gateway in GATEWAYS[len(stage.seats) - 1 :]:
        stage.start(stage.seat_agent(f"agent-{gateway}", gateway).name)
    stage.recover()
    backup = _back_up(stage)
    for _ in range(rng.choice([1, 2])):
        stage.last(rng.uniform(2.0, 5.0))
        if rng.random() < 0.5:
            stage.recover()
        stage.end(CLOUD, by_force=rng.random() < 0.5)
        _lineside_cloud(stage, "restore", str(backup), "--force")
        stage.start(CLOUD)


def _back_up(stage: Stage) -> Path:
    backups = stage.directory / "backups"
    _lineside_cloud(stage, "backup", str(backups), "--no-mark" if len(stage.journal.kills) % 2 else "--mark")
    return max(path for path in backups.iterdir() if path.is_dir())


def _lineside_cloud(stage: Stage, *words: str) -> None:
    stage.journal.tell(f"lineside-cloud {' '.join(words)}")
    run_to_end((*command("lineside-cloud"), *words, "--config", str(stage.config)), stage.directory / "command.log")


def _writer(stage: Stage) -> int:
    """Return the process that writes: the ingest, or the one of the whole cloud."""
    pid = stage.supervisor.pid(stage.writer)
    below = [one for one in descendants(pid) if "cloud.processes.ingest" in psutil.Process(one).cmdline()]
    return below[0] if below else pid


def _refusals(stage: Stage) -> int:
    return _log(stage).read_text().count(REFUSES)


def _log(stage: Stage) -> Path:
    return stage.directory / f"{stage.writer}.log"


ROWS = {
    "store-refuses": Row(store_refuses, times=2, mixes=True, full_times=10),
    "store-locked": Row(store_locked, times=1, mixes=True, full_times=10),
    "store-restored": Row(store_restored, Needs(whole_cloud=True), times=2, full_times=5),
}
