"""Rows: disks that fill up, buffers that are full, damaged or old, and files that cannot be opened any more."""

import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from tests.faults.conditions import GOOD, Conditions
from tests.faults.evidence import CloudFile, made
from tests.faults.programs import AGENT, CLOUD, Needs
from tests.faults.row import Row
from tests.faults.rows_gateways import alarm_types
from tests.faults.stage import Stage

AWAY = Conditions(refuses=True)
BUSY_PLANT: dict[str, Any] = {
    "plant": "busy",
    "servers": [{"id": "line", "protocol": "modbus-tcp"}],
    "machines": [
        {"id": f"{kind}-{unit}", "type": kind, "server": "line", "unit": unit, "period_s": 0.05}
        for unit, kind in enumerate(("pump", "motor", "pump", "motor"), start=1)
    ],
}
FAST_PLANT = BUSY_PLANT | {"machines": [one | {"period_s": 0.01} for one in BUSY_PLANT["machines"]]}
LITTLE_ROOM = Needs(plant=BUSY_PLANT, disks={AGENT: 12}, has_small_buffer=True)
LONG = 0.3
"""How many fills last until readings have to go."""
SOON_S = 1.0
"""How long before the end of an outage nothing may be missing: far less than the smallest of the buffers holds."""
BEFORE_S = 5.0
"""How long before an outage what is made may still wait when it begins."""
IN_FLIGHT_S = 3.0
"""How long after the begin of an outage batches may be stored whose acks never came."""


def disk_full(stage: Stage, rng: random.Random) -> None:
    """Let somebody else take the buffer's disk to the last bytes while nobody can be reached, now and then for long."""
    stage.network.switch(AWAY)
    begun_s, before = time.time(), _dropped(stage)
    stage.last(rng.uniform(0.0, 2.0))
    but = rng.choice([0, 0, rng.randrange(1 << 20)])
    stage.journal.tell(f"somebody fills the agent's disk but {but} bytes")
    stage.disks[AGENT].fill(but=but)
    if rng.random() < LONG:
        _wait_for_drops(stage)
    if rng.random() < 0.3:
        stage.end(AGENT, by_force=rng.random() < 0.5)
        stage.start(AGENT)
    stage.last(rng.uniform(0.0, 3.0))
    ended_s, given_up = time.time(), _dropped(stage) - before
    if rng.random() < 0.5:
        _free(stage)
    stage.recover()
    _see_oldest_gone(stage, begun_s, ended_s, given_up)
    _free(stage)


def started_on_a_full_disk(stage: Stage, rng: random.Random) -> None:
    """End the agent, fill its disk to the last byte, and start it, now and then without any buffer."""
    stage.end(AGENT, by_force=rng.random() < 0.5)
    if rng.random() < 0.5:
        stage.journal.tell("the ballast is gone as well")
        stage.seat.buffer.with_name("buffer.db.ballast").unlink(missing_ok=True)
    stage.journal.tell("somebody fills the agent's disk")
    stage.disks[AGENT].fill()
    stage.start(AGENT)
    stage.last(rng.uniform(1.0, 4.0))
    _free(stage)


def buffer_full(stage: Stage, rng: random.Random) -> None:
    """Let nobody be reached until the buffer has reached its cap and gives up its oldest readings."""
    stage.network.switch(AWAY)
    begun_s, before = time.time(), _dropped(stage)
    _wait_for_drops(stage)
    if rng.random() < 0.5:
        stage.end(AGENT, by_force=rng.random() < 0.5)
        stage.start(AGENT)
    stage.last(rng.uniform(0.0, 4.0))
    ended_s, given_up = time.time(), _dropped(stage) - before
    # A busy machine would make readings faster than they leave one window of small batches after the other.
    quiet = stage.ask_plant(do="mischief", kind="silence")
    assert quiet["ok"], quiet
    stage.recover()
    stage.ask_plant(do="calm")
    _see_oldest_gone(stage, begun_s, ended_s, given_up)


def store_disk_full(stage: Stage, rng: random.Random) -> None:
    """Let somebody else take the store's disk to the last byte for a while."""
    stage.journal.tell("somebody fills the store's disk")
    stage.disks[CLOUD].fill()
    stage.last(rng.uniform(2.0, 6.0))
    if rng.random() < 0.3:
        stage.kill(stage.writer)
        stage.start(stage.writer)
    stage.disks[CLOUD].free()
    stage.journal.tell("the store's disk has room again")


def no_descriptors(stage: Stage, rng: random.Random) -> None:
    """Let the agent, or the writer, open no further file or connection for a while, and tear what it has."""
    name = rng.choice([AGENT, stage.writer])
    program = psutil.Process(stage.supervisor.pid(name))
    _, most = program.rlimit(psutil.RLIMIT_NOFILE)
    usual, _ = program.rlimit(psutil.RLIMIT_NOFILE)
    few = rng.choice([3, program.num_fds() + rng.randrange(3)])
    stage.journal.tell(f"{name} may have {few} files open")
    program.rlimit(psutil.RLIMIT_NOFILE, (few, most))
    (stage.network if name == AGENT else stage.backbone).tear_all()
    stage.last(rng.uniform(3.0, 8.0))
    program.rlimit(psutil.RLIMIT_NOFILE, (usual, most))
    stage.journal.tell(f"{name} may have {usual} files open")
    assert stage.lives(name), f"{name} ended without descriptors"


def buffer_restored(stage: Stage, rng: random.Random) -> None:
    """Put an old copy of the buffer, with batches that waited then, in the place of one whose batches are stored."""
    old = stage.directory / "old.db"
    stage.network.switch(AWAY)
    stage.last(rng.uniform(1.0, 3.0))
    stage.end(AGENT, by_force=rng.random() < 0.5)
    _copy(stage, stage.seat.buffer, old)
    stage.start(AGENT)
    stage.recover()
    stage.last(rng.uniform(0.0, 2.0))
    quiet = stage.ask_plant(do="mischief", kind="silence")
    assert quiet["ok"], quiet
    stage.wait(stage.seat.is_drained)
    stage.end(AGENT, by_force=rng.random() < 0.5)
    _copy(stage, old, stage.seat.buffer)
    stage.start(AGENT)
    stage.ask_plant(do="calm")


def buffer_damaged(stage: Stage, rng: random.Random) -> None:
    """Overwrite the page of the buffer's books while batches wait in it; all of these can still be read."""
    stage.network.switch(AWAY)
    stage.last(rng.uniform(1.0, 3.0))
    before = stage.seat.status()["buffer"]["epoch"]
    stage.stop(AGENT)
    _overwrite_books(stage, rng)
    stage.start(AGENT)
    stage.network.switch(GOOD)
    stage.wait(lambda: any(stage.seat.buffer.parent.glob("buffer.db.damaged-*")))
    stage.wait(lambda: stage.seat.status().get("buffer", {}).get("epoch", before) != before)
    stage.wait(lambda: "buffer_damaged" in alarm_types(stage))
    for aside in stage.seat.buffer.parent.glob("buffer.db.damaged-*"):
        aside.unlink()


def _overwrite_books(stage: Stage, rng: random.Random) -> None:
    with closing(sqlite3.connect(f"file:{stage.seat.buffer}?mode=ro", uri=True)) as connection:
        pages = connection.execute("select rootpage from sqlite_master where name in ('epoch', 'standing') order by 1")
        page = rng.choice([number for (number,) in pages])
    stage.journal.tell(f"page {page} of the agent's buffer is overwritten")
    with stage.seat.buffer.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(rng.randbytes(4096))


def _copy(stage: Stage, source: Path, target: Path) -> None:
    stage.journal.tell(f"copy {source.name} over {target.name}")
    for suffix in ("", "-wal"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
        if source.with_name(source.name + suffix).exists():
            shutil.copy(source.with_name(source.name + suffix), target.with_name(target.name + suffix))


def _free(stage: Stage) -> None:
    stage.disks[AGENT].free()
    stage.journal.tell("the agent's disk has room again")


def _wait_for_drops(stage: Stage) -> None:
    """Wait until the agent shows that it gave up readings since now."""
    before = _dropped(stage)
    stage.wait(lambda: _dropped(stage) > before, deadline_s=600.0)


def _dropped(stage: Stage) -> int:
    return sum(epoch["dropped"] for epoch in stage.seat.status().get("buffer", {}).get("epochs", []))


def _see_oldest_gone(stage: Stage, begun_s: float, ended_s: float, given_up: int) -> None:
    """See that of an outage the newest was kept: what went is older than all that came after it.

    given_up: readings that went until somebody could be reached again. What goes later, for a backlog leaves slower
    than readings come, may be younger than what was brought by then, and the window of batches is always the oldest.
    What an agent's death took with it went for another reason and is not looked at.
    """
    since_s = begun_s - BEFORE_S
    with CloudFile(stage.readings) as cloud:
        stored = {(one.series, one.value, round(one.at_s)) for one in cloud.values() if one.at_s >= since_s - 5}
    served = [one for one in made(stage.truth) if since_s <= one.at_s <= ended_s]
    kept = {one: any((one.series, one.value, round(one.at_s) + n) in stored for n in (-1, 0, 1)) for one in served}
    gone = [one.at_s for one, is_kept in kept.items() if not is_kept]
    gone_s = sorted(at_s for at_s in gone if not any(kill.excuses(at_s) for kill in stage.journal.kills))
    last_gone_s = gone_s[-1] if gone_s else begun_s
    alone_s = gone_s[min(given_up, len(gone_s)) - 1] if gone_s and given_up else begun_s
    early = [one for one, is_kept in kept.items() if is_kept and begun_s + IN_FLIGHT_S < one.at_s < alone_s - 1.0]
    stage.journal.tell(
        f"of an outage of {ended_s - begun_s:.1f} s the first {last_gone_s - begun_s:.1f} s are gone, "
        f"{alone_s - begun_s:.1f} s of them before its end: {given_up} readings"
    )
    assert not gone_s or last_gone_s < ended_s - SOON_S, f"the newest went: {last_gone_s} of {ended_s}"
    assert not early, f"older readings were kept than some that went: {early[:3]}, {alone_s}"


ROWS = {
    "disk-full": Row(disk_full, LITTLE_ROOM, times=4, full_times=50),
    "started-on-a-full-disk": Row(started_on_a_full_disk, LITTLE_ROOM, times=4, full_times=20),
    "buffer-full": Row(buffer_full, Needs(plant=FAST_PLANT, has_small_buffer=True), times=1, full_times=10),
    "store-disk-full": Row(store_disk_full, Needs(disks={CLOUD: 32}), times=2, full_times=10),
    "no-descriptors": Row(no_descriptors, times=3, full_times=10, mixes=True),
    "buffer-damaged": Row(buffer_damaged, Needs(whole_cloud=True), times=2, full_times=10),
    "buffer-restored": Row(buffer_restored, times=2, full_times=10),
}
