"""How readings leave: the uplink, and the sender that the configuration asks for, as one part with one state."""

import random
from collections.abc import Callable

from edge_agent.config.schema import Acknowledge, AgentSettings, MqttVersion, Transport, UplinkSettings
from edge_agent.delivery.plain_sender import PlainSender
from edge_agent.delivery.presence import Identity
from edge_agent.delivery.sealer import Sealer
from edge_agent.delivery.sender import Sender
from edge_agent.delivery.takeovers import Takeovers
from edge_agent.ports import AsyncBuffer, Clock
from edge_agent.uplinks.mqtt import MqttSettings, MqttTls, MqttUplink
from edge_agent.watch.status import DeliveryState
from protocols.topics import GatewayTopic, gateway_topic


class Delivery:
    """The sender and the uplink that it uses."""

    def __init__(self, settings: AgentSettings, parts: "tuple[AsyncBuffer, Sealer, Clock]", identity: Identity) -> None:
        buffer, sealer, clock = parts
        self._settings = settings.uplink
        self._gateway = settings.gateway
        self._uplink = make_uplink(settings.uplink, settings.gateway)
        takeovers = Takeovers(clock.monotonic_s, lambda name, detail: sealer.record(name, detail=detail))
        self._uplink.when_taken_over(takeovers.note)
        self._sender: Sender | PlainSender
        if settings.uplink.acknowledge is Acknowledge.STORE:
            self._sender = Sender(
                uplink=self._uplink,
                buffer=buffer,
                clock=clock,
                identity=identity,
                random=random.random,
                record=lambda name, detail: sealer.record(name, detail=detail),
            )
        else:
            self._sender = PlainSender(
                uplink=self._uplink,
                buffer=buffer,
                clock=clock,
                gateway=identity.gateway,
                random=random.random,
                topic=settings.uplink.topic,
            )

    def listen(self, part: GatewayTopic, receive: Callable[[bytes], None]) -> None:
        """Call `receive` with each payload on this topic of the gateway's; before `run`."""
        self._uplink.listen(gateway_topic(self._gateway, part), receive)

    def wake(self) -> None:
        """Look again what there is to send."""
        self._sender.wake()

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._sender.run()

    async def farewell(self) -> None:
        """Say goodbye to the cloud, if there is a connection."""
        await self._sender.farewell()

    async def close(self) -> None:
        """Let go of the broker."""
        await self._uplink.close()

    def unsendable(self) -> int:
        """Return how many readings no message could hold."""
        return 0 if isinstance(self._sender, Sender) else self._sender.readings_unsendable

    def state(self) -> DeliveryState:
        """Return how it goes."""
        sender, connection = self._sender, self._sender.connection
        published = {"batches": sender.batches_sent}
        in_flight = 0
        if isinstance(sender, Sender):
            in_flight = len(sender.outbox.in_flight)
            published |= {"acks": sender.acks, "resent": sender.outbox.resent, "malformed_acks": sender.inbox.malformed}
        else:
            published["messages"] = sender.messages_sent
        return DeliveryState(
            connected=connection.is_up,
            broker=f"{self._settings.host}:{self._settings.port}",
            in_flight=in_flight,
            connects=connection.connects,
            published=published,
            bytes_sent=sender.bytes_sent,
        )


def make_uplink(settings: UplinkSettings, gateway: str) -> MqttUplink:
    """Return the way to the broker, not yet connected."""
    tls = settings.tls
    return MqttUplink(
        MqttSettings(
            host=settings.host,
            port=settings.port,
            client_id=gateway,
            transport="tcp" if settings.transport is Transport.TCP else "websockets",
            path=settings.path,
            tls=None if tls is None else MqttTls(tls.ca, tls.certificate, tls.key),
            proxy=settings.proxy,
            version="5" if settings.protocol is MqttVersion.V5 else "3.1.1",
            username=settings.username,
            password=settings.password,
            keepalive_s=settings.keepalive_s,
        )
    )
