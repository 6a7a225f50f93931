"""How long a fresh agent takes until its first reading is at a subscriber."""

from dataclasses import dataclass
from threading import Event
from time import monotonic

from paho.mqtt.client import Client, MQTTMessage

from protocols.batch import BatchKind
from protocols.codec import unpack
from protocols.topics import GatewayTopic, gateway_topic
from tests.bench.edge_ear import listening
from tests.bench.edge_line import GATEWAY, Surroundings, Wish

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start, from the spawn to the first batch of readings at a subscriber; cpu_s: what the agent took for it."""

    seconds: float
    cpu_s: float


def start(line: Surroundings, wish: Wish) -> Start:
    """Start an agent with an empty buffer and wait for its first readings."""
    arrived = Event()
    at_s: list[float] = []

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        if not at_s and unpack(bytes(message.payload)).header.kind is BatchKind.DATA:
            at_s.append(monotonic())
            arrived.set()

    with listening(line.broker.port, [gateway_topic(GATEWAY, GatewayTopic.DATA)], hear), line.agent(wish) as agent:
        arrived.wait(PATIENCE_S)
        cpu_s = agent.watched.sample().cpu_s
    return Start(at_s[0] - agent.spawned_at_s, cpu_s) if at_s else Start(float("nan"), float("nan"))
