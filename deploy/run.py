"""One run of the demo: start the line, watch it, interrupt it on request, bring it to rest, and gather the facts."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from deploy.control import ask_plant
from deploy.counting import Kill
from deploy.fetch import Api, ask
from deploy.line import AGENT, BROKER, CLOUD, GATEWAY, MAX_UNSEALED_S, PLANT, Line
from deploy.outcome import judged
from deploy.panel import Moment
from deploy.report import Facts, Interruption
from deploy.story import Story
from deploy.supervise import Supervisor, memory_mib, run_to_end
from firmware_sim.endpoints import read_ready

REST_TIMEOUT_S = 60.0
SETTLE_S = 3.0
LOOK_S = 0.25
SHORTEST_STORY_S = 50.0
"""In less time a gateway has not learned what is normal, let alone seen what is not."""
ONE_POLL_S = 0.5
"""How long before its sealing a polled value may have been served: one poll, with room for a slow answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to the line while it runs; at_s: after all is up, away_s: until it is started again."""

    program: str
    at_s: float
    away_s: float


@dataclass
class Run:
    """A line that is running, and what has been seen of it so far."""

    line: Line
    supervisor: Supervisor
    seed: int
    plans: list[Plan] = field(default_factory=list)
    started_at: float = 0.0
    first_reading_after_s: float | None = None
    kills: list[Kill] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    story: Story | None = None
    status: Mapping[str, Any] = field(default_factory=dict)
    are_models_sent: bool = False
    _peaks: dict[str, float] = field(default_factory=dict)
    _stored: tuple[float, int] = (0.0, 0)
    _up_after_s: float = 0.0

    @property
    def elapsed_s(self) -> float:
        """Return seconds since the processes began to start."""
        return time.monotonic() - self.started_at

    def start(self) -> Iterator[Moment]:
        """Start everything at once, yielding as it comes up; raise ProgramFailed.

        The agent needs to know where the plant listens.
        """
        self.started_at = time.monotonic()
        self.news.append("starting broker, plant, cloud and agent")
        for program in (self.line.broker(), self.line.plant(), self.line.cloud()):
            self.supervisor.spawn(program)
        yield self._before_all_is_up()
        self.supervisor.wait_until_up(PLANT)
        self.line.write_agent_config()
        self.supervisor.spawn(self.line.agent())
        self.news.append(f"the plant serves after {self.elapsed_s:.1f} s")
        yield self._before_all_is_up()
        for name in (BROKER, CLOUD, AGENT):
            self.supervisor.wait_until_up(name)
        self.news.append(f"all four programs are up after {self.elapsed_s:.1f} s")

    def watch(self, *, for_s: float | None) -> Iterator[Moment]:
        """Yield what there is to see, a few times a second, for so long from now on; without a time for ever."""
        self._up_after_s = self.elapsed_s
        with Api(self.line.url, self.line.key) as api:
            self.story = self._begin_story(api, for_s)
            while for_s is None or self.elapsed_s - self._up_after_s < for_s:
                self._carry_out(api)
                self._send_models(api)
                moment = self._look(api)
                self.story.step(self.elapsed_s - self._up_after_s, judged(moment.status))
                yield moment
                time.sleep(LOOK_S)

    def come_to_rest(self) -> dict[str, int]:
        """Stop the machines and the agent in order, see that the cloud has all, and return the gateway's account.

        What the agent could not send before it stopped, it sends when it is started once more without a plant.
        """
        self._hold_plant()
        self.supervisor.stop(AGENT)
        self.supervisor.stop(PLANT)
        with Api(self.line.url, self.line.key) as api:
            if self._waiting_in_buffer() or not self._wait(lambda: self._is_settled(api), SETTLE_S):
                self.supervisor.start(self.line.agent())
                self._wait(lambda: self._is_settled(api) and not self._waiting_at_agent(), REST_TIMEOUT_S)
                self.supervisor.stop(AGENT)
            return {name: int(count) for name, count in api.account(GATEWAY).items()}

    def facts(self, account: dict[str, int]) -> Facts:
        """Return what was measured."""
        return Facts(
            first_reading_after_s=self.first_reading_after_s,
            agent_rss_mib=round(self._peaks.get(AGENT, 0.0), 1),
            cloud_rss_mib=round(self._peaks.get(CLOUD, 0.0), 1),
            seconds=round(self.elapsed_s, 1),
            seed=self.seed,
            broker="mosquitto" if self.line.mosquitto else "iotcore",
            gateway_account=account,
            interruptions=tuple(self.interruptions),
        )

    def _send_models(self, api: Api) -> None:
        """Have the cloud send the models that it was taught, once it has heard of every Device."""
        if self.are_models_sent or self.line.recording is not None:
            return
        known = {str(one["device"]) for one in api.models(GATEWAY)}
        wanted = {machine.machine for machine in read_ready(self.line.plant_ready).machines}
        if wanted <= known:
            sent = [api.roll_out(machine, machine) for machine in sorted(wanted)]
            self.are_models_sent = all(sent)
            self.news.append(f"{len(wanted)} signed models on their way to the gateway")

    def _begin_story(self, api: Api, for_s: float | None) -> Story:
        """Return the faults to come; none for a recording, which has its own, nor where programs are killed."""
        machines = read_ready(self.line.plant_ready).machines
        is_told = self.line.recording is None and not self.plans and (for_s is None or for_s >= SHORTEST_STORY_S)
        return Story(
            machines={machine.machine: machine.type for machine in machines} if is_told else {},
            for_s=for_s,
            chance=random.Random(self.seed),  # noqa: S311 - a demo, not a secret
            ask=lambda request: ask_plant(self.line.plant_ready, request),
            alarms=api.alarms,
            news=self.news,
        )

    def _before_all_is_up(self) -> Moment:
        return Moment(self.elapsed_s, 0.0, {}, {}, tuple(self.news), self.line.url)

    def _look(self, api: Api) -> Moment:
        account = api.account(GATEWAY)
        stored, now = int(account.get("stored", 0)), time.monotonic()
        if stored and self.first_reading_after_s is None and api.has_value():
            self.first_reading_after_s = round(self.elapsed_s, 2)
            self.news.append(f"first reading in the API after {self.first_reading_after_s:.1f} s")
        before_at, before = self._stored
        rate = (stored - before) / max(now - before_at, 0.001) if before else 0.0
        self._stored = (now, stored)
        for name in (AGENT, CLOUD):
            memory = memory_mib(self.supervisor.pid(name), with_children=name != AGENT)
            self._peaks[name] = max(self._peaks.get(name, 0.0), memory)
        self.status = ask(self.line.status_url) or self.status
        return Moment(self.elapsed_s, max(rate, 0.0), self.status, account, tuple(self.news), self.line.url)

    def _carry_out(self, api: Api) -> None:
        for plan in [plan for plan in self.plans if plan.at_s <= self.elapsed_s - self._up_after_s]:
            self.plans.remove(plan)
            self._interrupt(plan, api)

    def _interrupt(self, plan: Plan, api: Api) -> None:
        self.news.append(f"{plan.program} killed at {self.elapsed_s:.1f} s")
        at = self.elapsed_s
        since = time.time() - MAX_UNSEALED_S - ONE_POLL_S
        self.supervisor.kill(plan.program)
        if plan.program == AGENT:
            self.kills.append(Kill(time.time(), since))
        time.sleep(plan.away_s)
        before = int(api.account(GATEWAY).get("stored", 0))
        self.supervisor.restart(plan.program)
        back = time.monotonic()
        self.supervisor.wait_until_up(plan.program)
        came = self._wait(lambda: int(api.account(GATEWAY).get("stored", 0)) > before, REST_TIMEOUT_S)
        after = round(time.monotonic() - back, 2) if came else None
        self.interruptions.append(Interruption(plan.program, round(at, 2), plan.away_s, after))
        self.news.append(f"{plan.program} is back; readings came through after {after} s")

    def _is_settled(self, api: Api) -> bool:
        account = api.account(GATEWAY)
        return int(account.get("buffered", 1)) == 0 and int(account.get("lost", 1)) == 0

    def _waiting_at_agent(self) -> bool:
        buffer = ask(self.line.status_url).get("buffer", {})
        return int(buffer.get("batches_waiting", 1)) + int(buffer.get("unsealed_readings", 1)) > 0

    def _waiting_in_buffer(self) -> bool:
        told = msgspec.json.decode(run_to_end(self.line.buffer_stats(), self.line.directory / "buffer.log"))
        return any(epoch["waiting"] for epoch in told["epochs"])

    def _hold_plant(self) -> None:
        """Have the machines stand still, so that nothing is on its way when the programs stop."""
        ask_plant(self.line.plant_ready, {"do": "hold"})
        time.sleep(MAX_UNSEALED_S + 2 * ONE_POLL_S)

    @staticmethod
    def _wait(is_so: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if is_so():
                return True
            time.sleep(0.05)
        return False


def draw_plans(names: list[str], *, outage_s: float, for_s: float, chance: random.Random) -> list[Plan]:
    """Return one kill of each program at a random moment, one after the other, and the broker's outage."""
    asked = [(name, 0.5) for name in names] + ([(BROKER, outage_s)] if outage_s else [])
    room = for_s * 0.7 / max(len(asked), 1)
    return [
        Plan(name, for_s * 0.15 + index * room + chance.uniform(0.0, max(room - away, 0.1) * 0.5), away)
        for index, (name, away) in enumerate(asked)
    ]
