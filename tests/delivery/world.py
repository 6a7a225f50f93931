"""World: a gateway with its clone, a broker, replicas and a store, and how they get on when nothing goes wrong."""

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.delivery.agent import Agent, Image
from tests.delivery.custody import Custody
from tests.delivery.made import Plant, Register
from tests.delivery.store import Store
from tests.delivery.straight import StillClock
from tests.delivery.variant import Variant
from tests.delivery.wire import Wire

REPLICAS = 3
_ROUNDS = 200
_CALM = 5
"""So many rounds of 100 s with nothing to do, each gateway with its regular hello among them, mean that it is over."""
_STUCK = 120
"""So many rounds in which something waited mean that it waits for ever: half of them are 100 s long."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where it is there, a commit costs no flush; the names in it are random


class World(RuleBasedStateMachine):
    """Everything there is; the rules are in `machine.py`."""

    variant: ClassVar[Variant] = Variant()

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
        self.clock = StillClock()
        self.plant = Plant()
        self.register = Register()
        self.store = Store(self.directory, variant=self.variant, clock=self.clock, register=self.register)
        self.store.back_up(archive=False)
        self.wire = Wire(REPLICAS)
        self.custody = Custody(self.register, self.store)
        self.agents: list[Agent] = []
        self.images: list[Image] = []
        self.numbers = count(101)
        self.reconnects = True

    def teardown(self) -> None:
        """Let the faults end, ask whether all is well (I7), and clear up."""
        try:
            if self.agents:
                self.recover()
        finally:
            for agent in self.agents:
                agent.buffer.close()
            self.store.close()
            shutil.rmtree(self.directory)

    def recover(self) -> None:
        """I7: without further faults everything ends stored and acked, and what is stored can be read."""
        for agent in self.agents:
            if self.reconnects or not agent.is_online:
                agent.connect()
        stuck = calm = 0
        for _ in range(_ROUNDS):
            is_busy = self.round_trip(self.agents)
            self.store.decode_waiting()
            waits = any(agent.due() for agent in self.agents)
            stuck, calm = (stuck + waits, 0) if is_busy or waits else (0, calm + 1)
            if calm >= _CALM or stuck > _STUCK:
                break
            self.clock.move(0.0 if is_busy else 100.0)
        self.custody.check_all_arrived(self.agents)
        self.store.check_readings()

    def round_trip(self, agents: list[Agent]) -> bool:
        """Let all that is due go out, be settled and be acked; return whether anything was."""
        for agent in agents:
            self.turn(agent)
        letters = self.wire.take_all()
        self.wire.answer(0, self.store.settle(letters))
        self.wire.publish_all(self.agents)
        heard = False
        for agent in agents:
            heard |= bool(agent.down)
            down, agent.down = agent.down, []
            agent.hear(down)
            self.post(agent)
        return bool(letters) or heard

    def seal(
        self, agent: Agent, sizes: list[int], *, events: int = 0, poison: int = 0, killed_at: int | None = None
    ) -> None:
        """Have an agent commit batches; see Agent.seal. A buffer that is full has always something to give up."""
        try:
            agent.seal(sizes, events=events, poison=poison, killed_at=killed_at)
        finally:
            self.custody.look(agent)
        self.turn(agent)

    def restore_agent(self, agent: Agent, image: Image) -> None:
        """Let an agent go on with a copy of a buffer."""
        agent.begin_from(image)
        self.custody.replaced(agent)

    def restore_store(self, which: int) -> None:
        """Restore one of the store's backups by the command."""
        backup = self.store.backups[which % len(self.store.backups)]
        self.custody.store_goes_back(backup)
        self.store.restore(backup)

    def hear(self, agent: Agent, which: int, *, keep: bool) -> None:
        """Let one of the acks that are on the way come to an agent."""
        if agent.down and agent.is_online:
            which %= len(agent.down)
            agent.hear([agent.down[which] if keep else agent.down.pop(which)])
            self.post(agent)

    def turn(self, agent: Agent) -> None:
        """Let an agent do what is due."""
        agent.turn()
        self.post(agent)

    def post(self, agent: Agent) -> None:
        """Bring what an agent sent to the broker, and note what changed in its buffer."""
        self.wire.send(agent.post())
        self.custody.look(agent)

    def agent(self, at: int) -> Agent:
        """Return one of the live agents."""
        return self.agents[at % len(self.agents)]

    def new_agent(self) -> Agent:
        """Return one more agent, not begun yet."""
        number = next(self.numbers)
        agent = Agent(
            self.directory / f"agent-{number}",
            variant=self.variant,
            draw=lambda: next(self.numbers),
            clock=self.clock,
            plant=self.plant,
        )
        self.agents.append(agent)
        return agent
