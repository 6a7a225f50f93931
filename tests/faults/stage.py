"""Stage: plant, broker, cloud and agents as real processes, with a network between them that can be made bad."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from deploy.control import ask_plant
from deploy.line import command
from deploy.ports import free_port
from deploy.supervise import Program, Supervisor, descendants, run_to_end
from firmware_sim.endpoints import Ready, read_ready
from tests.faults.conditions import GOOD
from tests.faults.disk import Disk
from tests.faults.journal import Journal
from tests.faults.ledger import Files, Found, Terms, settle
from tests.faults.programs import (
    AGENT,
    BROKER,
    CLOUD,
    GATEWAY,
    INGEST,
    PLANT,
    Needs,
    agent_program,
    broker_program,
    cloud_program,
    consumer_program,
    ingest_program,
    plant_program,
    write_agent_config,
    write_cloud_config,
)
from tests.faults.proxy import FaultProxy
from tests.faults.seat import Seat
from tests.support.waiting import wait_until

MAX_UNSEALED_S = 0.05
UP_S = 180.0
RECOVER_S = 240.0
"""Twice over a resend that was put off to its longest by a row of losses."""
LOOK_S = 0.05
HELD_S = 1.0


@dataclass
class Stage:
    """A context manager. network: between agents and broker; backbone: between broker and cloud; seed: of all of it.

    is_full: faults last as long as they do in the field, not as long as one likes to wait; disks: by the program whose
    they are.
    """

    directory: Path
    needs: Needs
    seed: int
    is_full: bool = False
    journal: Journal = field(init=False)
    seats: list[Seat] = field(default_factory=list)
    disks: dict[str, Disk] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay everything out; nothing runs yet."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(self.directory / "faults.log", MAX_UNSEALED_S)
        self.broker_port, self.api_port = free_port(), free_port()
        self.supervisor = Supervisor()
        self.network = FaultProxy(self.broker_port, seed=self.seed, tell=self.journal.tell, name="network")
        self.backbone = FaultProxy(self.broker_port, seed=self.seed, tell=self.journal.tell, name="backbone")
        self._programs: dict[str, Program] = {}
        self._ended: set[str] = set()
        self._stack = ExitStack()

    @property
    def truth(self) -> Path:
        """Return the plant's truth file."""
        return self.directory / "truth.jsonl"

    @property
    def readings(self) -> Path:
        """Return the cloud's file of readings."""
        return self.directory / "cloud" / "readings.db"

    @property
    def seat(self) -> Seat:
        """Return the first agent's place."""
        return self.seats[0]

    @property
    def ready(self) -> Ready:
        """Return where the plant's machines are."""
        return read_ready(self.directory / "plant.json")

    @property
    def writer(self) -> str:
        """Return the name of the program that writes readings."""
        return CLOUD if self.needs.whole_cloud else INGEST

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        for proxy in (self.network, self.backbone):
            self._stack.enter_context(proxy)
        for name, mib in self.needs.disks.items():
            self._mount(name, mib)
        self._stack.callback(self._end)
        needs = self.needs
        self.config = write_cloud_config(self.directory, needs, broker_port=self.backbone.port, api_port=self.api_port)
        if needs.whole_cloud:
            run_to_end((*command("lineside-cloud"), "init", "--config", str(self.config)), self.directory / "init.log")
            self.add(cloud_program(self.config))
        else:
            self.add(ingest_program(self.config, can_fail=needs.can_fail))
        self.add(broker_program(self.directory, needs, self.broker_port))
        self.add(plant_program(self.directory, needs, self.seed))
        for name in (BROKER, PLANT, self.writer):
            self.start(name, wait=False)
        for name in (BROKER, PLANT, self.writer):
            self.supervisor.wait_until_up(name, timeout_s=UP_S)
        for number in range(1, needs.consumers + 1):
            program = consumer_program(self.config, number)
            self.add(program)
            self.start(program.name)
        self.seat_agent(AGENT, GATEWAY)
        self.start(AGENT)
        wait_until(lambda: self.seat.oldest_waiting_s() < 2.0, deadline_s=UP_S, every_s=LOOK_S)

    def _mount(self, name: str, mib: int) -> None:
        place = self.directory / (name if name == CLOUD else f"{name}/buffer")
        self.disks[name] = Disk(self.directory / f"{name}.ext4", place, mib)
        self._stack.callback(self.disks[name].leave)

    def _end(self) -> None:
        for name in self._programs:
            with suppress(KeyError, ProcessLookupError):
                self.signal(name, signal.SIGCONT)
        self.supervisor.stop_all()

    def add(self, program: Program) -> None:
        """Have one more program that can be started by its name."""
        self._programs[program.name] = program

    def seat_agent(self, name: str, gateway: str) -> Seat:
        """Give an agent a place and a program; it is started by its name."""
        seat = Seat(name, gateway, self.directory / name, free_port())
        config = write_agent_config(
            seat.directory,
            self.ready,
            self.needs,
            broker_port=self.network.port,
            watch_port=seat.watch_port,
            gateway=gateway,
        )
        self.add(agent_program(name, config, seat.watch_port, is_small=self.needs.has_small_buffer))
        self.seats.append(seat)
        return seat

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a program and wait until it is up; raise ProgramFailed."""
        self.journal.tell(f"start {name}")
        program = self._programs[name]
        if name == CLOUD:
            self.config.with_name("cloud.json").unlink(missing_ok=True)
        if name == PLANT:
            (self.directory / "plant.json").unlink(missing_ok=True)
        self.supervisor.spawn(program)
        self._ended.discard(name)
        if wait:
            self.supervisor.wait_until_up(name, timeout_s=UP_S)

    def kill(self, name: str) -> None:
        """SIGKILL a program and what it started; what an agent had not sealed is excused."""
        self.journal.tell(f"SIGKILL {name}")
        self.supervisor.kill(name)
        if self._is_agent(name):
            self.journal.excuse()

    def kill_child(self, name: str) -> None:
        """SIGKILL one process of the whole cloud, which its supervisor starts again."""
        self.wait(lambda: psutil.pid_exists(self._child(name)))
        self.journal.tell(f"SIGKILL {name} below {CLOUD}")
        os.kill(self._child(name), signal.SIGKILL)

    def _child(self, name: str) -> int:
        """Return the process of this name below the cloud; it may have ended and not been started again yet."""
        return int(json.loads(self.config.with_name("cloud.json").read_bytes())["children"][name])

    def lives(self, name: str) -> bool:
        """Return whether a program that was started has not ended by itself."""
        return psutil.Process(self.supervisor.pid(name)).status() != psutil.STATUS_ZOMBIE

    def stop(self, name: str) -> int:
        """Stop a program in order and return its exit code."""
        self.journal.tell(f"stop {name}")
        self._ended.add(name)
        return self.supervisor.stop(name)

    def end(self, name: str, *, by_force: bool) -> None:
        """End a program, by SIGKILL or in order."""
        if by_force:
            self.kill(name)
        else:
            self.stop(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program and all below it."""
        pid = self.supervisor.pid(name)
        for each in (pid, *descendants(pid)):
            os.kill(each, number)

    def freeze(self, name: str, for_s: float) -> None:
        """SIGSTOP a program and all below it for so long; a poll that an agent had under way then is excused."""
        self.journal.tell(f"SIGSTOP {name} for {for_s:.1f} s")
        begun_s = time.time()
        self.signal(name, signal.SIGSTOP)
        time.sleep(for_s)
        self.signal(name, signal.SIGCONT)
        self.journal.tell(f"SIGCONT {name}")
        if self._is_agent(name):
            self.journal.stood_still(begun_s)

    def last(self, seconds: float) -> None:
        """Let a fault last; how long is drawn by the row, so that a seed repeats it."""
        time.sleep(seconds)

    def ask_plant(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Ask the plant's control port."""
        return ask_plant(self.directory / "plant.json", request)

    def wait(self, is_so: Callable[[], object], *, deadline_s: float = RECOVER_S) -> None:
        """Wait for a condition; raise AssertionError after the deadline."""
        wait_until(is_so, deadline_s=deadline_s, every_s=LOOK_S)

    def recover(self) -> float:
        """Make the networks good and wait until all that was made before now is acknowledged; return Unix seconds.

        The time returned is one before which nothing may be missing. Raises AssertionError where it takes too long.
        """
        for proxy in (self.network, self.backbone):
            if proxy.conditions != GOOD:
                proxy.switch(GOOD)
        wall_s, since_s = time.time(), time.monotonic()
        running = [seat for seat in self.seats if seat.name not in self._ended]
        self.wait(lambda: all(seat.oldest_waiting_s() < time.monotonic() - since_s for seat in running))
        for seat in running:  # what waited in memory, since its disk was full, is sealed only now
            self.wait(seat.all_until_now())
        self.journal.tell(f"recovered after {time.monotonic() - since_s:.1f} s")
        return wall_s - 1.0

    def settle(self) -> None:
        """Bring everything to rest: the agents stop, the plant ends, and what still waits is sent by agents alone.

        The plant holds still first: what an OPC UA server has told, and its stopping client not heard, is on its way.
        """
        self.ask_plant(do="hold")
        self.last(HELD_S)
        self.recover()
        for seat in self.seats:
            if seat.name not in self._ended:
                self.stop(seat.name)
        self.stop(PLANT)
        for seat in self.seats:
            self.start(seat.name)
            self.wait(seat.is_drained)
            self.stop(seat.name)

    def count(self, *, until_s: float = float("inf")) -> Found:
        """Return what became of every value that was made until then (Unix seconds)."""
        buffers = [(seat.gateway, seat.buffer) for seat in self.seats if until_s == float("inf")]
        slack_s = 5.0 if self.needs.has_true_times else float("inf")
        terms = Terms(self.journal.kills, until_s, slack_s, self.journal.pauses)
        return settle(Files(self.truth, self.readings, buffers), terms, self.journal)

    def _is_agent(self, name: str) -> bool:
        return any(seat.name == name for seat in self.seats)
