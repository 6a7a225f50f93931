"""Subscriber: what the broker brings, turned into parcels; and the acks on their way back.

Two connections: what gateways send is settled by acks of our own, so its session is clean and the broker keeps nothing
for us; JSON telemetry has only the broker's promise, so its session is kept, under a name that stays the same.
"""

import logging
from collections.abc import Callable, Sequence

from cloud.errors import Invalid, Unavailable
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import Inbox
from cloud.ingest.link import Link
from cloud.ingest.parcels import BatchParcel, HelloParcel, Outcome, Parcel, StateParcel, TelemetryParcel
from cloud.sections.readings import MqttSettings
from protocols.delivery import Ack, encode
from protocols.errors import InvalidTopic
from protocols.topics import (
    GatewayTopic,
    gateway_filter,
    gateway_topic,
    parse_gateway,
    parse_telemetry,
    telemetry_filter,
)

_log = logging.getLogger(__name__)
_FAMILY = "lineside_ingest_mqtt"
_FOR_GATEWAYS = (GatewayTopic.MODELS, GatewayTopic.COMMAND)
"""What other processes may tell gateways."""


class Subscriber:
    """Fills the inbox; name: of this ingest process among the broker's clients.

    Counts lineside_ingest_mqtt{outcome}: received, shed (QoS 0 and no room), invalid_topic, acks_sent, acks_unsent.
    """

    def __init__(
        self, settings: MqttSettings, password: str, *, inbox: Inbox, figures: Figures, name: str = "lineside"
    ) -> None:
        self._inbox = inbox
        self._figures = figures
        gateways = [
            gateway_filter(GatewayTopic.DATA, share=settings.share),
            gateway_filter(GatewayTopic.HELLO, share=settings.share),
            gateway_filter(GatewayTopic.STATE),
        ]
        self._gateways = Link(
            settings,
            password,
            name=f"{name}-ingest-gateways",
            kept=False,
            filters=gateways,
            receive=self._from_gateway,
            changed=self._show,
        )
        self._devices = Link(
            settings,
            password,
            name=f"{name}-ingest-devices",
            kept=True,
            filters=[telemetry_filter()],
            receive=self._from_device,
            changed=self._show,
        )

    @property
    def is_connected(self) -> bool:
        """Return whether both connections stand."""
        return self._gateways.is_connected and self._devices.is_connected

    def _show(self) -> None:
        self._figures.show("lineside_ingest_broker_connected", float(self.is_connected))

    def start(self) -> None:
        """Connect, and never give up."""
        self._gateways.start()
        self._devices.start()

    def stop(self) -> None:
        """Read nothing more and disconnect."""
        self._gateways.stop()
        self._devices.stop()

    def publish(self, acks: Sequence[tuple[str, Ack]]) -> None:
        """Send acks; one that cannot go out is not kept, for the gateway will send again and be answered again."""
        for gateway, ack in acks:
            sent = self._gateways.publish(gateway_topic(gateway, GatewayTopic.ACK), encode(ack))
            self._figures.count(_FAMILY, "acks_sent" if sent else "acks_unsent")
        self._figures.show("lineside_ingest_broker_connected", float(self.is_connected))

    def publish_to_gateway(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Put a message for a gateway on its topic; raise Invalid for another topic, Unavailable without a broker."""
        try:
            part = parse_gateway(topic).part
        except InvalidTopic as error:
            raise Invalid(f"topic: {error}", code="INVALID_TOPIC") from error
        if part not in _FOR_GATEWAYS:
            raise Invalid(f"topic: nothing is published on {topic} by others", code="INVALID_TOPIC")
        if not self._gateways.publish(topic, payload, is_retained=is_retained):
            raise Unavailable("there is no connection to the broker", code="BROKER_AWAY")

    def _from_gateway(self, topic: str, payload: bytes, is_retained: bool, done: Callable[[], None]) -> bool:  # noqa: FBT001 the form of Receive
        try:
            gateway, part = parse_gateway(topic)
        except InvalidTopic:
            return self._refuse(topic, done)
        match part:
            case GatewayTopic.DATA:
                return self._offer(BatchParcel(gateway, payload), done)
            case GatewayTopic.HELLO:
                return self._offer(HelloParcel(gateway, payload), done)
            case GatewayTopic.STATE:
                return self._offer(StateParcel(gateway, payload, is_retained), done)
            case GatewayTopic.ACK | GatewayTopic.COMMAND | GatewayTopic.REPLY | GatewayTopic.MODELS:
                return self._refuse(topic, done)

    def _from_device(self, topic: str, payload: bytes, _: bool, done: Callable[[], None]) -> bool:  # noqa: FBT001 the form of Receive
        try:
            device = parse_telemetry(topic)
        except InvalidTopic:
            return self._refuse(topic, done)
        return self._offer(TelemetryParcel(device, payload), done)

    def _refuse(self, topic: str, done: Callable[[], None]) -> bool:
        _log.warning("a message on %r, which is none of our topics", topic[:200])
        self._figures.count(_FAMILY, "invalid_topic")
        done()
        return True

    def _offer(self, parcel: Parcel, done: Callable[[], None]) -> bool:
        def settled(_: Outcome) -> None:
            done()

        is_taken = self._inbox.offer(parcel, settled)
        self._figures.count(_FAMILY, "received" if is_taken else "shed")
        return is_taken
