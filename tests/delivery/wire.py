"""Wire: the broker and the ingest replicas between gateways and the one writer; it loses, repeats and mixes up."""

from collections.abc import Sequence

from protocols.delivery import encode
from tests.delivery.agent import Agent
from tests.delivery.store import Letter
from tests.delivery.variant import Acks


class Wire:
    """up: messages at the broker; held, said: what each replica got, and which acks it is to publish."""

    def __init__(self, replicas: int) -> None:
        self.up: list[Letter] = []
        self.held: list[list[Letter]] = [[] for _ in range(replicas)]
        self._said: list[list[bytes]] = [[] for _ in range(replicas)]

    def send(self, out: Sequence[tuple[str, bytes]]) -> None:
        """Take what a gateway sends."""
        self.up += [Letter(payload, topic.endswith("/hello")) for topic, payload in out]

    def share(self, at: int, replica: int, *, keep: bool) -> None:
        """Give one message to one replica; keep: and have it come again."""
        if self.up:
            at %= len(self.up)
            self.held[replica % len(self.held)].append(self.up[at] if keep else self.up.pop(at))

    def take_held(self, replica: int, size: int) -> list[Letter]:
        """Take out the first messages that a replica got."""
        held = self.held[replica % len(self.held)]
        group, held[:] = held[:size], held[size:]
        return group

    def take_all(self) -> list[Letter]:
        """Take out everything, wherever it is, replica by replica."""
        letters = [letter for held in self.held for letter in held] + self.up
        self.up.clear()
        for held in self.held:
            held.clear()
        return letters

    def answer(self, replica: int, acks: Acks) -> None:
        """Let a replica have these acks to publish."""
        self._said[replica % len(self._said)].extend(encode(ack) for _, ack in acks)

    def publish(self, at: int, replica: int, agents: Sequence[Agent], *, keep: bool) -> None:
        """Have a replica publish one of its acks; every agent that is online gets it."""
        said = self._said[replica % len(self._said)]
        if said:
            at %= len(said)
            self._deliver(said[at] if keep else said.pop(at), agents)

    def publish_all(self, agents: Sequence[Agent]) -> None:
        """Publish all acks of all replicas."""
        for said in self._said:
            for payload in said:
                self._deliver(payload, agents)
            said.clear()

    def lose(self) -> None:
        """Lose what the broker has."""
        self.up.clear()

    def kill(self, replica: int) -> None:
        """Lose what a replica has."""
        self.held[replica % len(self.held)].clear()
        self._said[replica % len(self._said)].clear()

    @staticmethod
    def _deliver(payload: bytes, agents: Sequence[Agent]) -> None:
        for agent in agents:
            if agent.is_online:
                agent.down.append(payload)
