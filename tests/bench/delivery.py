"""Measures what delivery promises: `python -m tests.bench.delivery [--only NAME] [--json FILE]`.

Nothing is asserted: machines differ and are shared. Every process is real, every commit goes to a real disk.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from tests.bench.delivery_ack import acks
from tests.bench.delivery_drain import drain
from tests.bench.delivery_week import week
from tests.bench.measure import Figure, Target, filesystem, save, say, table
from tests.support.killed_agent import kill_again_and_again


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; seed: of the moments of the kills."""

    directory: Path
    seconds: float
    readings: int
    kills: int
    hour_s: float
    seed: int


def measure_acks(plan: Plan) -> Sequence[Figure]:
    """Time acks at 1,000 readings a second, `max_unsealed_s` 0.01."""
    return acks(plan.directory, plan.seconds)


def measure_drain(plan: Plan) -> Sequence[Figure]:
    """Drain a backlog beside live readings."""
    return drain(plan.directory, plan.readings)


def measure_week(plan: Plan) -> Sequence[Figure]:
    """Tell a week from an hour."""
    return week(plan.directory, plan.hour_s)


def measure_kills(plan: Plan) -> Sequence[Figure]:
    """Kill an agent in the middle of its writes."""
    with tempfile.TemporaryDirectory(dir=plan.directory) as own:
        fate = kill_again_and_again(Path(own), kills=plan.kills, random=Random(plan.seed))
    seconds = fate.recording_s
    uneven = sum(not one.adds_up for one in fate.epochs)
    return [
        Figure("kills: start to a durable reading, longest", max(seconds), "s", Target(3), f"of {len(seconds)} starts"),
        Figure("kills: start to a durable reading, median", float(np.median(seconds)), "s"),
        Figure(
            "kills: processor until then, median", float(np.median(fate.cpu_s)), "CPU s", note="an idle machine's time"
        ),
        Figure("kills: polls not durable a kill, most", max(fate.unsealed), "polls", Target(1), f"{plan.kills} kills"),
        Figure("kills: polls not durable, in all", sum(fate.unsealed), "polls", note=f"of {fate.polls} served"),
        Figure("kills: durable readings lost", fate.lost, "readings", Target(0)),
        Figure("kills: stored twice or never served", fate.extra, "readings", Target(0)),
        Figure("kills: runs whose account does not add up", uneven, "", Target(0), f"of {len(fate.epochs)}"),
    ]


MEASURES: Mapping[str, Callable[[Plan], Sequence[Figure]]] = {
    "ack": measure_acks,
    "drain": measure_drain,
    "week": measure_week,
    "kills": measure_kills,
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="may be given more than once")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long acknowledgements are timed")
    parser.add_argument("--readings", type=int, default=1_000_000, help="how many wait at the gateway")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--hour-s", type=float, default=3600.0, help="how long the hour is that a week is told from")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="on a real disk")
    given = parser.parse_args()
    plan = Plan(given.directory, given.seconds, given.readings, given.kills, given.hour_s, given.seed)
    say(f"buffers and store on {filesystem(plan.directory)} in {plan.directory}\n")
    figures: list[Figure] = []
    for name in given.only or MEASURES:
        found = MEASURES[name](plan)
        say(table(name, found))
        figures += found
    if given.json:
        save(given.json, figures)


if __name__ == "__main__":
    main()
