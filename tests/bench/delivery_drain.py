"""A million readings that waited at the gateway, delivered beside live ones whose cadence must not suffer.

A loop in a process of its own that only sleeps from one point of the same grid to the next shows at the same time how
punctual the machine itself is.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import numpy as np
from numpy.typing import NDArray

from protocols.batch import BatchKind
from protocols.codec import open_data, unpack
from tests.bench.delivery_polls import TAGS, Filling, Machines, fill
from tests.bench.edge_cloud import CloudProcess
from tests.bench.edge_line import GATEWAY, AgentProcess, Wish, helper
from tests.bench.measure import Figure, Target, now_us, wait_until
from tests.support.broker import Broker

PERIOD_S = 0.1
POLLS = 10_000
ALONE_S = 15.0
PATIENCE_S = 300.0


def drain(directory: Path, readings: int) -> Sequence[Figure]:
    """Let the agent poll alone for a time, then beside a backlog of so many readings that goes to the cloud."""
    with TemporaryDirectory(dir=directory) as own, ExitStack() as stack:
        place = Path(own)
        filling = Filling(GATEWAY, readings // TAGS, PERIOD_S, a_commit=3)
        backlog = asyncio.run(fill(place / "buffer.db", filling, Machines(period_s=PERIOD_S, prefix="old")))
        port = int(stack.enter_context(helper("tests.bench.edge_server")))
        stack.enter_context(helper("tests.bench.delivery_pulse", str(place / "pulse"), str(PERIOD_S)))
        broker = Broker(place / "broker")
        wish = Wish(registers=TAGS, period_s=PERIOD_S)
        agent = stack.enter_context(AgentProcess(place, wish, modbus_port=port, broker_port=broker.port))
        wait_until(lambda: _is_polling(agent), "the agent polls", seconds=30)
        alone_us = now_us()
        sleep(ALONE_S)
        stack.enter_context(broker)
        stack.enter_context(CloudProcess(place, broker.port))
        begun_s, begun_us = monotonic(), now_us()
        wait_until(lambda: _is_drained(agent, backlog.epochs[-1].epoch), "the backlog is drained", seconds=PATIENCE_S)
        took_s, ended_us = monotonic() - begun_s, now_us()
        live_epoch = int(agent.status().buffer.epoch, 16)
        stack.close()
        times = _live_times(place / "buffer.db", live_epoch)
        pulse = np.fromfile(place / "pulse", np.int64)
    alone, beside = _jitter_ms(times, alone_us, begun_us), _jitter_ms(times, begun_us, ended_us)
    batches = backlog.batches_waiting
    period_ms = 1000 * PERIOD_S
    return [
        Figure("drain: backlog of a million readings", took_s * 1e6 / readings, "s", Target(60), f"{batches} batches"),
        Figure("drain: readings a second", readings / took_s, "/s", note="live ones not counted"),
        Figure("drain: live jitter beside it, 99 %", beside, "ms", Target(0.1 * period_ms), "of 100 ms between polls"),
        Figure("drain: live jitter alone, 99 %", alone, "ms", note=f"{ALONE_S:.0f} s before it"),
        Figure("drain: a loop that only sleeps, beside, 99 %", _jitter_ms(pulse, begun_us, ended_us), "ms"),
        Figure("drain: a loop that only sleeps, alone, 99 %", _jitter_ms(pulse, alone_us, begun_us), "ms"),
    ]


def _is_polling(agent: AgentProcess) -> bool:
    try:
        return any(device.polls > 1 / PERIOD_S for device in agent.status().devices)
    except OSError:
        return False


def _is_drained(agent: AgentProcess, epoch: int) -> bool:
    sleep(0.2)
    return all(one.waiting == 0 for one in agent.status().buffer.epochs if int(one.epoch, 16) == epoch)


def _live_times(path: Path, epoch: int) -> NDArray[np.int64]:
    """Return when the first tag was read, out of the batches that the buffer keeps as a safety copy."""
    times: list[int] = []
    with closing(sqlite3.connect(path)) as connection:
        for (payload,) in connection.execute("SELECT frame FROM batch ORDER BY id"):
            frame = unpack(payload)
            if frame.header.epoch == epoch and frame.header.kind is BatchKind.DATA:
                column = open_data(frame).columns[0]
                times.extend(column.time_us[column.tag == 0].tolist())
    return np.array(times, np.int64)


def _jitter_ms(times: NDArray[np.int64], since_us: int, until_us: int) -> float:
    """Return by how much the time between two polls differs from the period, at most, for 99 % of them."""
    chosen = times[(times >= since_us) & (times < until_us)]
    if len(chosen) < 3:
        return float("nan")
    return float(np.percentile(np.abs(np.diff(chosen) / 1000 - 1000 * PERIOD_S), 99))
