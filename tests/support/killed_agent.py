"""An agent that is killed again and again in the middle of its writes, and what became of every poll it made."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

import yaml

from cloud.clock import SystemClock
from cloud.fleet.accounting import Accounting
from cloud.fleet.gateways import Gateways
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from firmware_sim.agent_config import compose
from firmware_sim.truth import Truth
from tests.bench.measure import Watched
from tests.support.agent import AgentProcess
from tests.support.broker import Broker
from tests.support.ingest_process import IngestProcess
from tests.support.plant import PlantProcess, modbus_plant
from tests.support.waiting import wait_until

GATEWAY, MACHINE, COUNTER = "gw-1", "pump-1", "sequence"
POLL_S, ROW_S = 0.25, 0.05
MAX_UNSEALED_S = 0.01
_START_S = 30.0
_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the polls; unsealed: served just before each kill and not durable, one number a kill.

    lost: not stored though not the last ones before a kill; extra: stored and never served, or twice; recording_s: from
    each start to the first durable reading; cpu_s: used by then; epochs: the cloud's accounts, one a run.
    """

    polls: int
    stored: int
    unsealed: tuple[int, ...]
    lost: int
    extra: int
    recording_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    epochs: tuple[Accounting, ...]


@dataclass(slots=True)
class _Log:
    starts_us: list[int] = field(default_factory=list)
    recording_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def kill_again_and_again(directory: Path, *, kills: int, random: Random) -> Fate:
    """Kill an agent so often, every other time as soon as it writes, let it deliver what it kept, and count."""
    log = _Log()
    with _surroundings(directory) as (agent, ingest, plant):
        for number in range(kills):
            _start(agent, log)
            _await_moment(directory / "buffer.db-wal", random, in_a_write=number % 2 == 0)
            assert agent.process is not None
            agent.process.kill()
            agent.process.wait()
        _start(agent, log)
        wait_until(lambda: agent.status()["buffer"]["batches_waiting"] == 0, deadline_s=_DRAIN_S, every_s=0.1)
        assert agent.stop() == 0
        assert ingest.stop() == 0
        assert plant.stop() == 0
        return _fate(plant.truth(), ingest.readings, log)


@contextmanager
def _surroundings(directory: Path) -> Iterator[tuple[AgentProcess, IngestProcess, PlantProcess]]:
    document = modbus_plant({"id": MACHINE, "period_s": ROW_S})
    with (
        Broker(directory / "broker") as broker,
        PlantProcess(directory / "plant", document) as plant,
        IngestProcess(directory / "cloud", port=broker.port) as ingest,
    ):
        devices = compose(plant.ready)["devices"]
        devices[0]["period_s"] = POLL_S
        text = yaml.safe_dump(devices, default_flow_style=True, width=10**6)
        uplink = f"{{host: 127.0.0.1, port: {broker.port}}}"
        agent = AgentProcess(directory, devices=f"  {text}", uplink=uplink, max_unsealed_s=MAX_UNSEALED_S)
        agent.environment["PYTHONDONTWRITEBYTECODE"] = ""  # compiled modules are kept, as on a gateway
        try:
            yield agent, ingest, plant
        finally:
            agent.__exit__(None, None, None)


def _start(agent: AgentProcess, log: _Log) -> None:
    """Start it and wait until a reading is durable."""
    begun_s = time.monotonic()
    log.starts_us.append(time.time_ns() // 1000)
    agent.start()
    wait_until(lambda: _is_recording(agent), deadline_s=_START_S, every_s=0.01)
    log.recording_s.append(time.monotonic() - begun_s)
    assert agent.process is not None
    log.cpu_s.append(Watched(agent.process.pid).sample().cpu_s)


def _is_recording(agent: AgentProcess) -> bool:
    buffer = agent.status().get("buffer", {})
    return any(one["epoch"] == buffer["epoch"] and one["sealed"] for one in buffer.get("epochs", ()))


def _await_moment(log_file: Path, random: Random, *, in_a_write: bool) -> None:
    """Wait for some polls; in_a_write: and until the buffer's log is being written."""
    time.sleep(random.uniform(0.0, 3 * POLL_S))
    if in_a_write:
        before = log_file.stat().st_mtime_ns
        wait_until(lambda: log_file.stat().st_mtime_ns != before, every_s=0.0002)


def _fate(truth: Truth, readings: Path, log: _Log) -> Fate:
    made, at_us = _served(truth)
    stored, epochs = _found(readings)
    missing, extra = _compare(made, stored)
    unsealed, lost = [], 0
    bounds = [*log.starts_us, at_us[-1] + 1]
    for number, (since_us, until_us) in enumerate(pairwise(bounds)):
        polls = [index for index, at in enumerate(at_us) if since_us <= at < until_us]
        last = 0
        while last < len(polls) and polls[-1 - last] in missing:
            last += 1
        gone = sum(index in missing for index in polls)
        is_killed = number < len(log.starts_us) - 1
        unsealed += [last] if is_killed else []
        lost += gone - (last if is_killed else 0)
    return Fate(len(made), len(stored), tuple(unsealed), lost, extra, tuple(log.recording_s), tuple(log.cpu_s), epochs)


def _served(truth: Truth) -> tuple[list[int], list[int]]:
    answers = [answer for answer in truth if COUNTER in answer.tags]
    return [int(one.values[one.tags.index(COUNTER)]) for one in answers], [one.at_us for one in answers]


def _found(readings: Path) -> tuple[list[int], tuple[Accounting, ...]]:
    database = Database(readings, read_only=True)
    try:
        store = ChunkStore(database, SystemClock())
        (series,) = [one for one in store.series(source=GATEWAY, device=MACHINE) if one.key.tag == COUNTER]
        points = store.points(series, start_us=0, end_us=1 << 62, limit=1 << 20)
        return [int(value) for value in points.value], Gateways(database).get(GATEWAY).epochs
    finally:
        database.close()


def _compare(made: Sequence[int], stored: Sequence[int]) -> tuple[frozenset[int], int]:
    """Return which of made are not among the stored, by their index, and how many stored are none of made."""
    missing: set[int] = set()
    place = 0
    for index, value in enumerate(made):
        if place < len(stored) and stored[place] == value:
            place += 1
        else:
            missing.add(index)
    return frozenset(missing), len(stored) - place
