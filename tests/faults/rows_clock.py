"""Rows: wall clocks that are set forward, back, or never were set, and a machine that slept."""

import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tests.faults.clocks import NOTICED_S, OwnClock
from tests.faults.programs import AGENT, BROKER, INGEST, PLANT, Needs, agent_program, ingest_program
from tests.faults.row import Row
from tests.faults.stage import Stage

DAY_S = 86_400.0
MOVED = Needs(has_true_times=False)
UNSET = "1970-01-01 00:00:05"


def clock_stepped(stage: Stage, rng: random.Random, *, by_s: float, whose: Sequence[str]) -> None:
    """Set the clock forward or back, let readings be taken and stored, and set it right again."""
    clocks = [_clock(stage, name) for name in whose]
    stage.last(rng.uniform(0.5, 2.0))
    off_s = by_s + rng.uniform(-100.0, 100.0)
    stage.journal.tell(f"clock of {', '.join(whose)}: {off_s:+.0f} s")
    for clock in clocks:
        clock.step(off_s)
    _go_on(stage, rng)
    stage.journal.tell(f"clock of {', '.join(whose)}: right again")
    for clock in clocks:
        clock.step(0.0)
    _go_on(stage, rng)


def clock_unset(stage: Stage, rng: random.Random, *, whose: str) -> None:
    """Start a program with the clock of a machine without a battery, and set it right while it runs."""
    clock = _clock(stage, whose)
    stage.end(whose, by_force=rng.random() < 0.5)
    stage.journal.tell(f"clock of {whose}: {UNSET}")
    clock.begin_at(UNSET)
    stage.start(whose)
    _go_on(stage, rng)
    stage.journal.tell(f"clock of {whose}: right again")
    clock.step(0.0)
    _go_on(stage, rng)


def slept(stage: Stage, rng: random.Random) -> None:
    """Stop everything, as a laptop's lid does, and go on hours later by the wall clock alone."""
    clocks = [_clock(stage, name) for name in (AGENT, INGEST)]
    stage.last(rng.uniform(0.5, 2.0))
    names = [PLANT, AGENT, BROKER, INGEST]
    rng.shuffle(names)
    hours = rng.uniform(0.5, 12.0)
    stage.journal.tell(f"everything sleeps {hours:.1f} h")
    for name in names:
        stage.signal(name, signal.SIGSTOP)
    stage.journal.excuse()
    stage.last(rng.uniform(0.2, 3.0))
    for clock in clocks:
        clock.step(hours * 3600)
    rng.shuffle(names)
    for name in names:
        stage.signal(name, signal.SIGCONT)
    _go_on(stage, rng)
    for clock in clocks:
        clock.step(0.0)
    _go_on(stage, rng)


def _go_on(stage: Stage, rng: random.Random) -> None:
    """Let readings be taken; how long they wait no clock that is wrong can say, so see that they were acknowledged."""
    stage.last(NOTICED_S + rng.uniform(0.5, 3.0))
    stage.wait(stage.seat.all_until_now())


def _clock(stage: Stage, name: str) -> OwnClock:
    """Return the program's clock; the first time the program is started again with one."""
    clock = OwnClock(stage.directory / f"{name}.clock")
    if not clock.path.exists():
        environment = clock.environment()
        clock.step(0.0)
        if name == AGENT:
            program = agent_program(AGENT, stage.seat.directory / "agent.yaml", stage.seat.watch_port)
        else:
            program = ingest_program(stage.config, can_fail=False)
        stage.stop(name)
        stage.add(replace(program, environment=environment))
        stage.start(name)
    return clock


def _stepped(by_s: float, *whose: str) -> Row:
    return Row(partial(clock_stepped, by_s=by_s, whose=whose), MOVED, times=2, full_times=10)


ROWS = {
    "clock-a-day-on": _stepped(DAY_S, AGENT),
    "clock-a-day-back": _stepped(-DAY_S, AGENT),
    "clock-unset": Row(partial(clock_unset, whose=AGENT), MOVED, times=2, full_times=10),
    "cloud-clock-a-day-on": _stepped(DAY_S, INGEST),
    "cloud-clock-a-day-back": _stepped(-DAY_S, INGEST),
    "cloud-clock-unset": Row(partial(clock_unset, whose=INGEST), MOVED, times=1, full_times=10),
    "all-clocks-a-day-back": _stepped(-DAY_S, AGENT, INGEST),
    "machine-slept": Row(slept, MOVED, times=2, full_times=10),
}
