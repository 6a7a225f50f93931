"""Supervisor: keeps the processes of one installation alive, and stops them in order.

`serve` turns its own process into this one when all is prepared: it imports little, since it lives for years. A child
that dies is started again, at once at first and then with growing pauses; children die with their supervisor, however
that dies, because a pipe that only it holds open comes to its end. Pools of children grow and shrink as the worker asks
(`processes/staff`).
"""

import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import sys
from asyncio.subprocess import Process
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn, Self

from cloud.clock import SystemClock
from cloud.domain.pools import RunningPool
from cloud.logs import configure_logs
from cloud.processes.staff import Staff
from cloud.processes.tether import DRAIN_S, GRACE_S, Tether

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_DEATHS_TOLD = 20
_STEADY_S = 30.0
"""A child that lived so long is not in a crash loop."""
Facts = dict[str, object]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """A module to run, and how it is tied to us; pool: of those that share its work, empty where it is alone."""

    name: str
    module: str
    tether: Tether
    pool: str = ""
    number: int = 1


@dataclass(slots=True)
class _Life:
    child: Child
    process: Process | None = None
    facts: Facts | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)


def pause_s(deaths: int, draw: Callable[[], float] = random.random) -> float:
    """Return how long to wait before the next start after so many deaths in a row, with jitter."""
    longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(deaths - 1, 20))
    return longest * (0.8 + 0.4 * draw())


class Supervisor:
    """Starts the children in the order given and stops them in the reverse; `on_ready` hears of every change.

    spares: by pool, what one more child of it is; instances: where the pools' sizes are asked for and told of.
    """

    def __init__(
        self,
        children: Sequence[Child],
        clock: SystemClock,
        on_ready: Callable[[Facts], None],
        *,
        spares: Mapping[str, Child] | None = None,
        instances: Path | None = None,
    ) -> None:
        self._lives = [_Life(child) for child in children]
        self._clock = clock
        self._on_ready = on_ready
        self._spares = spares or {}
        self._instances = instances
        self._stopping = asyncio.Event()
        self._deaths: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_DEATHS_TOLD))
        self._start: Callable[[_Life], object] = lambda _: None

    def stop(self) -> None:
        """Ask for an end in order."""
        self._stopping.set()
        for life in self._lives:
            life.leaving.set()

    def extras(self, pool: str) -> Sequence[int]:
        """Return the numbers of the further children of a pool, rising."""
        return sorted(one.child.number for one in self._lives if one.child.pool == pool and one.child.number > 1)

    def pools(self) -> dict[str, RunningPool]:
        """Return how many children of each pool serve, and when some died."""
        serving = [one.child.pool for one in self._lives if one.facts is not None]
        return {pool: RunningPool(serving.count(pool), tuple(self._deaths[pool])) for pool in self._spares}

    def add(self, pool: str, number: int) -> None:
        """Start one more child of a pool, and keep it alive."""
        spare = self._spares[pool]
        life = _Life(replace(spare, name=f"{spare.name}-{number}", number=number))
        self._lives.append(life)
        self._start(life)

    async def remove(self, pool: str, number: int) -> None:
        """End a child of a pool in order."""
        life = next(one for one in self._lives if (one.child.pool, one.child.number) == (pool, number))
        life.leaving.set()
        await self._end(life, DRAIN_S)
        self._lives.remove(life)
        self._tell_when_all_serve()

    async def run(self) -> None:
        """Run until asked to stop, by `stop`, SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        lifeline, held = os.pipe()
        try:
            async with asyncio.TaskGroup() as group:
                self._start = lambda life: group.create_task(self._keep(life, lifeline), name=f"keep {life.child.name}")
                for life in self._lives:
                    self._start(life)
                staff = group.create_task(self._staff(), name="staff")
                await self._stopping.wait()
                staff.cancel()
                await asyncio.gather(staff, return_exceptions=True)
                self.stop()
                await self._end_all()
        finally:
            os.close(lifeline)
            os.close(held)

    async def _staff(self) -> None:
        if self._instances is not None:
            await Staff(self._instances, self, self._clock).keep()

    async def _keep(self, life: _Life, lifeline: int) -> None:
        deaths = 0
        while not life.leaving.is_set():
            begun_s = self._clock.monotonic_s()
            code = await self._live_once(life, lifeline)
            if life.leaving.is_set():
                break
            self._deaths[life.child.pool].append(self._clock.now_us())
            deaths = 1 if self._clock.monotonic_s() - begun_s > _STEADY_S else deaths + 1
            wait_s = pause_s(deaths)
            facts = {"child": life.child.name, "code": code, "again_in_s": round(wait_s, 2)}
            log.error("a process ended and will be started again", extra=facts)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(life.leaving.wait(), wait_s)
        life.ended.set()

    async def _live_once(self, life: _Life, lifeline: int) -> int:
        heard, told = os.pipe()
        tether = replace(life.child.tether, lifeline=lifeline, ready=told)
        handed_down = tuple(number for number in (lifeline, told, tether.listen) if number >= 0)
        try:
            life.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", life.child.module, *tether.arguments()),
                pass_fds=handed_down,
                process_group=0,
                stdin=asyncio.subprocess.DEVNULL,
            )
        finally:
            os.close(told)
        listening = asyncio.create_task(self._hear(life, heard), name=f"hear {life.child.name}")
        code = await life.process.wait()
        await listening
        life.facts = None
        return code

    async def _hear(self, life: _Life, heard: int) -> None:
        reader = asyncio.StreamReader()
        with os.fdopen(heard, "rb") as pipe:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            line = await reader.readline()
            transport.close()
        if line:
            life.facts = json.loads(line)
            self._tell_when_all_serve()

    def _tell_when_all_serve(self) -> None:
        if not all(life.facts is not None for life in self._lives):
            return
        together: Facts = {}
        for life in self._lives:
            together |= life.facts or {}
        pids = {life.child.name: life.process.pid for life in self._lives if life.process is not None}
        self._on_ready(together | {"pid": os.getpid(), "children": pids})

    async def _end_all(self) -> None:
        for life in reversed(self._lives):
            await self._end(life, GRACE_S / 2)

    async def _end(self, life: _Life, patience_s: float) -> None:
        """End a child in order; one that takes longer is told to leave what it does, and then killed."""
        for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGINT, GRACE_S / 2), (signal.SIGKILL, None)):
            if number is signal.SIGKILL:
                log.warning("a process did not stop in time and was killed", extra={"child": life.child.name})
            _signal(life, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(life.ended.wait(), wait_s)
                return


def _signal(life: _Life, number: signal.Signals) -> None:
    if life.process is not None and life.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            life.process.send_signal(number)


@dataclass(frozen=True, slots=True)
class Household:
    """What the supervisor must know of an installation; listen: the API's bound socket.

    instances: the directory where pools' sizes are asked for; None for pools that never grow.
    """

    config: Path
    listen: int
    log_level: str
    ready_file: Path | None = None
    instances: Path | None = None

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """Return the household that `arguments` wrote."""
        config, listen, log_level, ready_file, instances = arguments
        paths = [Path(one) if one else None for one in (ready_file, instances)]
        return cls(Path(config), int(listen), log_level, *paths)

    def arguments(self) -> list[str]:
        """Return the command line that `parse` reads."""
        paths = ["" if one is None else str(one) for one in (self.ready_file, self.instances)]
        return [str(self.config), str(self.listen), self.log_level, *paths]

    def children(self) -> list[Child]:
        """Return the processes in the order in which they start."""
        return [
            Child("ingest", "cloud.processes.ingest", Tether(self.config), "ingest"),
            Child("api", "cloud.processes.api", Tether(self.config, listen=self.listen), "api"),
            Child("worker", "cloud.processes.worker", Tether(self.config), "jobs"),
        ]

    def spares(self) -> Mapping[str, Child]:
        """Return by pool what one more process of it is."""
        return {
            "ingest": Child("ingest", "cloud.processes.consumer", Tether(self.config), "ingest"),
            "api": Child("api", "cloud.processes.api", Tether(self.config, listen=self.listen), "api"),
            "jobs": Child("jobs", "cloud.processes.jobs", Tether(self.config), "jobs"),
        }

    def tell_ready(self, facts: Facts) -> None:
        """Write the facts whole or not at all."""
        log.info("all processes serve", extra=facts)
        if self.ready_file is None:
            return
        draft = self.ready_file.with_name(f".{self.ready_file.name}.{os.getpid()}")
        draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.ready_file)

    def forget_ready(self) -> None:
        """Take the ready file away."""
        if self.ready_file is not None:
            self.ready_file.unlink(missing_ok=True)


def become_supervisor(household: Household) -> NoReturn:
    """Replace this program by the supervisor, in the same process."""
    os.execv(sys.executable, [sys.executable, "-m", "cloud.supervise", *household.arguments()])  # noqa: S606 no shell


def main() -> None:
    """Supervise until SIGTERM."""
    household = Household.parse(sys.argv[1:])
    configure_logs(household.log_level)
    try:
        supervisor = Supervisor(
            household.children(),
            SystemClock(),
            household.tell_ready,
            spares=household.spares(),
            instances=household.instances,
        )
        asyncio.run(supervisor.run())
    finally:
        household.forget_ready()


if __name__ == "__main__":
    main()
