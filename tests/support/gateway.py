"""GatewayClient: a gateway as the broker sees it, made by hand: it publishes frames and collects acks."""

from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from protocols.delivery import Ack, decode
from protocols.topics import GatewayTopic, gateway_topic
from tests.support.waiting import wait_until


class GatewayClient:
    """Connected and subscribed to its acks inside the block."""

    def __init__(self, port: int, name: str = "gw-1") -> None:
        self.name = name
        self.acks: list[Ack] = []
        self._port = port
        self._subscribed = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe

    @property
    def ack(self) -> Ack:
        """Return the last ack."""
        return self.acks[-1]

    def settled(self, epoch: int, seq: int) -> bool:
        """Return whether an ack said that this batch is settled."""
        return any(one.epoch == epoch and one.covers(seq) for ack in tuple(self.acks) for one in ack.epochs)

    def publish(self, part: GatewayTopic, payload: bytes) -> None:
        """Send a message on one of its own topics."""
        self.publish_to(gateway_topic(self.name, part), payload)

    def publish_to(self, topic: str, payload: bytes) -> None:
        """Send a message on any topic, QoS 1."""
        self._client.publish(topic, payload, qos=1)

    def _on_connect(self, client: Client, *_: Any) -> None:  # noqa: ANN401 paho's own
        client.subscribe(gateway_topic(self.name, GatewayTopic.ACK), qos=1)

    def _on_subscribe(self, *_: Any) -> None:  # noqa: ANN401 paho's own
        self._subscribed = True

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:  # noqa: ANN401 paho's own
        self.acks.append(decode(bytes(message.payload), Ack))

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        wait_until(lambda: self._subscribed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
