"""Measures the agent against what it promises: `python -m tests.bench.edge [--only NAME] [--seconds S] [--json FILE]`.

Nothing is asserted: machines differ and are shared. Every process is real, every commit goes to a real disk.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from tests.bench.edge_cloud import CloudProcess
from tests.bench.edge_latency import compare
from tests.bench.edge_line import AgentProcess, MakeStore, Reached, Surroundings, Wish, helper, surroundings
from tests.bench.edge_opcua import node_names
from tests.bench.edge_start import Start, start
from tests.bench.edge_store import StoreProcess
from tests.bench.measure import DAY_S, MIB, Figure, Target, filesystem, save, say, slope_per_minute, table

FULL_SPEED, TEN_HZ, ONE_HZ, TOO_FAST = 0.0, 0.1, 1.0, 0.001
WARM_UP_S = 5.0
SPAWNS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; seconds: how long each measurement lasts, None for the one that suits it."""

    directory: Path
    store: MakeStore
    seconds: float | None = None

    def lasting(self, usual_s: float) -> float:
        """Return how long to measure."""
        return usual_s if self.seconds is None else self.seconds


@dataclass(frozen=True, slots=True)
class Stretch:
    """Two moments of a steady line, and the agent's memory between them as (second, MiB)."""

    begin: Reached
    end: Reached
    rss: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        """Return how long it was."""
        return self.end.agent.at_s - self.begin.agent.at_s

    @property
    def readings(self) -> int:
        """Return how many readings became durable in the store."""
        return self.end.readings - self.begin.readings

    @property
    def per_s(self) -> float:
        """Return readings a second."""
        return self.readings / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        """Return the agent's processor time for a million of them."""
        return (self.end.agent.cpu_s - self.begin.agent.cpu_s) / max(1, self.readings) * 1e6

    @property
    def wire_bytes(self) -> float:
        """Return MQTT payload bytes a reading."""
        return (self.end.wire_bytes - self.begin.wire_bytes) / max(1, self.readings)

    @property
    def rss_slope(self) -> float:
        """Return how the agent's memory rises in the second half, when it is warm, in MiB a minute."""
        return slope_per_minute(self.rss[len(self.rss) // 2 :])

    @property
    def disk_bytes(self) -> float:
        """Return the bytes that the agent has sent to the disk."""
        return self.end.agent.written - self.begin.agent.written


def observe(line: Surroundings, agent: AgentProcess, seconds: float) -> Stretch:
    """Look at a steady line for so long, at its memory twice a second."""
    begin, rss = line.reached(agent), []
    until_s = monotonic() + seconds
    while (now_s := monotonic()) < until_s:
        rss.append((now_s, agent.watched.rss_mib()))
        sleep(min(0.5, until_s - now_s))
    return Stretch(begin, line.reached(agent), tuple(rss))


def run_for(plan: Plan, wish: Wish, usual_s: float) -> Stretch:
    """Run an agent with this wish until it is warm, and observe it."""
    with surroundings(plan.directory, plan.store) as line, line.agent(wish) as agent:
        line.wait_for_flow()
        sleep(WARM_UP_S)
        return observe(line, agent, plan.lasting(usual_s))


def measure_flat_out(plan: Plan) -> list[Figure]:
    """1000 registers as fast as the server answers."""
    stretch = run_for(plan, Wish(period_s=FULL_SPEED), 15)
    return [
        Figure("flat out: delivered and acknowledged", stretch.per_s, "values/s", Target(200_000, is_most=False)),
        Figure("flat out: processor", stretch.cpu_s_per_million, "CPU s/million", Target(4)),
        Figure("flat out: memory at the end", stretch.rss[-1][1], "MiB"),
        Figure("flat out: memory rises", stretch.rss_slope, "MiB/min", note="second half"),
        *sizes("flat out", stretch),
    ]


def measure_ten_hz(plan: Plan) -> list[Figure]:
    """1000 registers ten times a second."""
    stretch = run_for(plan, Wish(period_s=TEN_HZ), 30)
    return [
        Figure("10 Hz: delivered and acknowledged", stretch.per_s, "values/s"),
        Figure("10 Hz: processor", stretch.cpu_s_per_million, "CPU s/million", Target(12)),
        Figure("10 Hz: memory after it", stretch.rss[-1][1], "MiB", Target(60), "Modbus only"),
        *sizes("10 Hz", stretch),
        day("10 Hz", stretch),
    ]


def measure_one_hz(plan: Plan) -> list[Figure]:
    """1000 registers once a second."""
    stretch = run_for(plan, Wish(period_s=ONE_HZ), 20)
    return [*sizes("1 Hz", stretch), day("1 Hz", stretch)]


def sizes(name: str, stretch: Stretch) -> list[Figure]:
    """Return what a reading takes on the wire and on the disk."""
    each = stretch.disk_bytes / max(1, stretch.readings)
    return [
        Figure(f"{name}: on the wire", stretch.wire_bytes, "bytes/reading", note="MQTT payload"),
        Figure(f"{name}: on the disk", each, "bytes/reading", note="written, from /proc/PID/io"),
    ]


def day(name: str, stretch: Stretch) -> Figure:
    """Return what a day of this would write to the disk."""
    a_day = stretch.disk_bytes / stretch.seconds * DAY_S / MIB / 1024
    return Figure(f"{name}: disk", a_day, "GiB/day", note=f"from {stretch.seconds:.0f} s")


def measure_latency(plan: Plan) -> list[Figure]:
    """Change of a register until a subscriber has it, beside a bare loop at the same time."""
    return compare(plan.directory, plan.lasting(60), store=plan.store)


def measure_start(plan: Plan) -> list[Figure]:
    """Start fresh processes until their first reading is at a subscriber, without and with OPC UA."""
    figures: list[Figure] = []
    with surroundings(plan.directory, plan.store) as line, helper("tests.bench.edge_opcua") as url:
        opcua = (url, node_names())
        wishes = {
            "start": (Wish(), Target(1)),
            "start, OPC UA beside it": (Wish(opcua=opcua), Target(2)),
            "start, OPC UA alone": (Wish(has_modbus=False, opcua=opcua), Target(2)),
        }
        for name, (wish, target) in wishes.items():
            # the first is not counted: it may have to compile modules and to read them from the disk
            starts = [start(line, wish) for _ in range(SPAWNS + 1)][1:]
            figures += start_figures(name, starts, target)
    return figures


def start_figures(name: str, starts: Sequence[Start], target: Target) -> list[Figure]:
    """Return what so many starts come to."""
    seconds = [start.seconds for start in starts]
    spread = f"median of {SPAWNS}, {min(seconds):.2f} to {max(seconds):.2f}"
    cpu_s = median(start.cpu_s for start in starts)
    return [
        Figure(f"{name}: spawn to first reading", median(seconds), "s", target, spread),
        Figure(f"{name}: processor until then", cpu_s, "CPU s", note="about what it takes on an idle machine"),
    ]


def measure_opcua(plan: Plan) -> list[Figure]:
    """Memory with OPC UA beside Modbus."""
    with helper("tests.bench.edge_opcua") as url:
        stretch = run_for(plan, Wish(opcua=(url, node_names())), 30)
    return [Figure("OPC UA and Modbus: memory", stretch.rss[-1][1], "MiB", Target(100))]


def measure_overload(plan: Plan) -> list[Figure]:
    """Asked for a thousand polls a second, which no server answers: skip, count, stay flat."""
    with surroundings(plan.directory, plan.store) as line, line.agent(Wish(period_s=TOO_FAST)) as agent:
        line.wait_for_flow()
        sleep(WARM_UP_S)
        before = agent.status()
        stretch = observe(line, agent, plan.lasting(20))
        after = agent.status()
    skipped = sum(device.skipped_polls for device in after.devices) - sum(d.skipped_polls for d in before.devices)
    polls = sum(device.polls for device in after.devices) - sum(device.polls for device in before.devices)
    return [
        Figure("overload: polls made", polls / stretch.seconds, "/s"),
        Figure("overload: polls skipped and counted", skipped / stretch.seconds, "/s"),
        Figure("overload: of the grid accounted for", (skipped + polls) / stretch.seconds * TOO_FAST * 100, "%"),
        Figure("overload: memory first", stretch.rss[0][1], "MiB"),
        Figure("overload: memory last", stretch.rss[-1][1], "MiB"),
        Figure("overload: memory rises", stretch.rss_slope, "MiB/min", note="second half"),
    ]


STORES: Mapping[str, MakeStore] = {"minimal": StoreProcess, "cloud": CloudProcess}
MEASURES: Mapping[str, Callable[[Plan], list[Figure]]] = {
    "flat": measure_flat_out,
    "10hz": measure_ten_hz,
    "1hz": measure_one_hz,
    "latency": measure_latency,
    "start": measure_start,
    "opcua": measure_opcua,
    "overload": measure_overload,
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="may be given more than once")
    parser.add_argument("--seconds", type=float, help="how long each measurement lasts")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="on a real disk")
    parser.add_argument("--store", choices=list(STORES), default="minimal", help="who decodes, stores, acknowledges")
    given = parser.parse_args()
    plan = Plan(given.directory, STORES[given.store], given.seconds)
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
