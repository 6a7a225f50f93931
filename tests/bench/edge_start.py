"""How long a fresh agent takes until its first reading is at a subscriber."""

from threading import Event
from time import monotonic

from paho.mqtt.client import Client, MQTTMessage

from protocols.batch import BatchKind
from protocols.codec import unpack
from protocols.topics import GatewayTopic, gateway_topic
from tests.bench.edge_ear import listening
from tests.bench.edge_line import GATEWAY, Surroundings, Wish

PATIENCE_S = 30.0


def first_message_s(line: Surroundings, wish: Wish) -> float:
    """Return the seconds from the spawn to the first batch of readings at a subscriber."""
    arrived = Event()
    at_s: list[float] = []

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        if not at_s and unpack(bytes(message.payload)).header.kind is BatchKind.DATA:
            at_s.append(monotonic())
            arrived.set()

    with listening(line.broker.port, gateway_topic(GATEWAY, GatewayTopic.DATA), hear):
        began_s = monotonic()
        with line.agent(wish):
            arrived.wait(PATIENCE_S)
    return at_s[0] - began_s if at_s else float("nan")
