"""The order in which an agent stops, and what it does when a part fails."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.agent import Agent, Ending, Task
from edge_agent.errors import BufferUnusable
from edge_agent.watch.watchdog import Notifier
from tests.support.waiting import until


class QuickClock:
    """A clock whose sleeps only let others run."""

    def now_us(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)


class Notes:
    """Tasks and steps that write down what happens to them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def task(self, name: str) -> Task:
        async def run() -> None:
            self.lines.append(f"{name} runs")
            try:
                await asyncio.Event().wait()
            finally:
                self.lines.append(f"{name} ends")

        return Task(name, run)

    def step(self, name: str, error: Exception | None = None) -> Task:
        async def run() -> None:
            self.lines.append(name)
            if error is not None:
                raise error

        return Task(name, run)

    def agent(self, *more: Task, flush: Task | None = None, address: str = "") -> Agent:
        ending = Ending((flush or self.step("flush")).run, self.step("drain").run, (self.step("close"),))
        keepers = (self.task("sealer"), *more)
        return Agent(
            sources=[self.task("poller")],
            keepers=keepers,
            ending=ending,
            notifier=Notifier(address),
            clock=QuickClock(),
        )


async def run_until(agent: Agent, condition: Callable[[], bool]) -> bool:
    stop = asyncio.Event()
    running = asyncio.create_task(agent.run(stop))
    await until(condition)
    stop.set()
    return await running


async def test_it_stops_in_the_order_in_which_readings_flow() -> None:
    notes = Notes()
    assert await run_until(notes.agent(), lambda: "sealer runs" in notes.lines)
    assert notes.lines == ["poller runs", "sealer runs", "poller ends", "flush", "drain", "sealer ends", "close"]


async def test_readings_that_could_not_be_stored_are_told_and_the_rest_stops_all_the_same() -> None:
    notes = Notes()
    flush = notes.step("flush", BufferUnusable("the disk is gone"))
    assert not await run_until(notes.agent(flush=flush), lambda: "sealer runs" in notes.lines)
    assert notes.lines[-3:] == ["drain", "sealer ends", "close"]


async def test_a_task_that_fails_or_ends_starts_again_and_disturbs_no_other() -> None:
    notes = Notes()
    failing, ending = notes.step("failing", ValueError("a mistake of ours")), notes.step("ending")
    assert await run_until(notes.agent(failing, ending), lambda: min(map(notes.lines.count, ("failing", "ending"))) > 2)
    assert notes.lines.count("poller runs") == notes.lines.count("sealer runs") == 1


async def test_systemd_hears_when_it_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        notes = Notes()
        await run_until(notes.agent(address=systemd.getsockname()), lambda: "sealer runs" in notes.lines)
        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STOPPING=1"]


@pytest.mark.parametrize("name", ["flush", "drain"])
async def test_a_step_that_hangs_is_bounded(name: str) -> None:
    notes = Notes()
    hanging = notes.task(name)
    ending = Ending(
        flush=hanging.run if name == "flush" else notes.step("flush").run,
        drain=hanging.run if name == "drain" else notes.step("drain").run,
        close=(notes.step("close"),),
        flush_s=0.01,
        drain_s=0.01,
    )
    agent = Agent(sources=[], keepers=[notes.task("sealer")], ending=ending, notifier=Notifier(""), clock=QuickClock())
    assert await run_until(agent, lambda: "sealer runs" in notes.lines) is (name == "drain")
    assert notes.lines[-1] == "close"
