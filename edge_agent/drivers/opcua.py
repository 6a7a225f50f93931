"""The OPC UA driver: has a server tell its changes, or asks it, over a connection that is as secure as configured.

Each loss of the connection ends in DeviceLost; the next opening makes a new session and subscribes anew, so that a
server that was restarted, or forgot us, is served like a new one. A node that cannot be watched is left to polling,
which says why with each poll and notices when the node is there.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from cryptography.exceptions import InvalidSignature

from edge_agent.config.devices import OpcuaDevice, OpcuaTag, SecurityPolicy
from edge_agent.drivers.opcua_values import Said, to_block
from edge_agent.errors import DeviceError, DeviceLost, DeviceRefused
from edge_agent.ports import Clock, Deliver
from protocols.nodes import variant_type
from protocols.reading import Kind, ReadingBlock
from protocols.scaling import ratio

AT_ONCE = 500
"""Nodes in one request, halved for a server that finds them too many."""
TOO_MANY = 0x8010_0000
KEEPALIVE_S, LIFETIME_S = 5.0, 60.0
QUEUE_SIZE = 10
SHORTEST_PUBLISHING_MS = 10.0
FAILURES = (OSError, TimeoutError, UaError, InvalidSignature, ValueError)
Answer = TypeVar("Answer")
BAD_NODE_ID = 0x8033_0000

_POLICIES: Mapping[SecurityPolicy, type[security_policies.SecurityPolicy]] = {
    SecurityPolicy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    SecurityPolicy.AES128_SHA256_RSAOAEP: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicy.AES256_SHA256_RSAPSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}


class OpcuaDriver:
    """One server; first_tag: index of its first Tag in the gateway's table, the others follow in order."""

    def __init__(self, device: OpcuaDevice, *, first_tag: int, clock: Clock, password: str = "") -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # it would log each failed attempt; we report once
        self._device = device
        self._tags: Mapping[int, OpcuaTag] = dict(enumerate(device.tags, first_tag))
        self._clock = clock
        self._password = password
        self._client: Client | None = None
        self._deliver: Deliver | None = None
        self._why_lost = ""
        self._at_once = AT_ONCE
        self._nodes = {tag: _node(settings.node) for tag, settings in self._tags.items()}

    async def open(self) -> None:
        """Connect and activate a session; raise DeviceLost where that fails."""
        await self.close()
        client = Client(self._device.url, timeout=self._device.timeout_s, watchdog_intervall=self._device.timeout_s / 2)
        client.application_uri = self._device.application_uri
        client.name = client.description = "lineside"
        client.connection_lost_callback = self._note_lost
        if self._device.username:
            client.set_user(self._device.username)
            client.set_password(self._password)
        try:
            await self._secure(client)
            async with asyncio.timeout(4 * self._device.timeout_s):
                await client.connect()
        except FAILURES as error:
            client.disconnect_socket()
            raise DeviceLost(f"cannot open {self._device.url}: {_words(error)}") from error
        self._why_lost = ""
        self._client = client

    async def close(self) -> None:
        """End the session, as far as the server still listens."""
        client, self._client, self._deliver = self._client, None, None
        if client is None:
            return
        with suppress(*FAILURES):
            async with asyncio.timeout(self._device.timeout_s):
                await client.disconnect()
        client.disconnect_socket()

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Ask for these tags; without any, only raise DeviceLost where the connection has gone."""
        client = self._connected()
        said = [Said(tag, None, BAD_NODE_ID) for tag in tags if self._nodes[tag] is None]
        for part in _parts([tag for tag in tags if self._nodes[tag] is not None], self._at_once):
            wanted = [ua.ReadValueId(self._nodes[tag], AttributeIds.Value) for tag in part]
            answer = await self._call(client.uaclient.read(ua.ReadParameters(NodesToRead=wanted)))
            said += [_said(tag, value) for tag, value in zip(part, answer, strict=True)]
        return to_block(said, self._tags, self._clock.now_us())

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Have the server tell changes; return the tags it refuses to watch, or all where polling is configured."""
        if not self._device.subscribe:
            return tags
        client = self._connected()
        self._deliver = deliver
        shortest_ms = max(SHORTEST_PUBLISHING_MS, 1000 * min(self._period_s(tag) for tag in tags))
        made = await self._call(client.uaclient.create_subscription(_subscription(shortest_ms), self._take_published))
        watchable = [tag for tag in tags if self._nodes[tag] is not None]
        refused = [tag for tag in tags if self._nodes[tag] is None]
        for part in _parts(watchable, self._at_once):
            wanted = ua.CreateMonitoredItemsParameters(
                made.SubscriptionId, ua.TimestampsToReturn.Source, [self._monitored(tag) for tag in part]
            )
            results = await self._call(client.uaclient.create_monitored_items(wanted))
            refused += [tag for tag, result in zip(part, results, strict=True) if not result.StatusCode.is_good()]
        return tuple(refused)

    async def write(self, tag: int, value: float | str) -> None:
        """Write one value; raise DeviceError where it does not fit or the server refuses."""
        client, target, node = self._connected(), self._tags[tag], self._nodes[tag]
        if node is None or isinstance(value, str) != (target.kind is Kind.TEXT):
            raise DeviceError(f"{target.name!r} of {self._device.id} cannot be set to {value!r}")
        raw: object = value
        if not isinstance(value, str):
            number = ratio(target.scale, target.offset).raw(value) if target.is_scaled else value
            raw = _as_written(number, target.type.kind)
        written = ua.DataValue(ua.Variant(raw, ua.VariantType(variant_type(target.type))))
        try:
            async with asyncio.timeout(self._device.timeout_s):
                (status,) = await client.uaclient.write_attributes([node], [written])
            status.check()
        except UaStatusCodeError as error:
            message = f"{target.name!r} of {self._device.id} cannot be set to {value!r}: {_words(error)}"
            raise DeviceRefused(message, code=error.code) from error
        except FAILURES as error:
            raise DeviceLost(f"{self._device.url}: {_words(error)}") from error

    async def _secure(self, client: Client) -> None:
        security = self._device.security
        if security.policy is SecurityPolicy.NONE:
            return
        await client.set_security(
            _POLICIES[security.policy],
            certificate=str(security.certificate),
            private_key=str(security.key),
            server_certificate=str(security.server_certificate),
            mode=ua.MessageSecurityMode[str(security.mode)],
        )

    def _connected(self) -> Client:
        if self._client is None or self._why_lost:
            raise DeviceLost(f"{self._device.url}: {self._why_lost or 'not open'}")
        return self._client

    async def _note_lost(self, error: Exception) -> None:
        self._why_lost = f"the connection was lost: {_words(error)}"

    def _period_s(self, tag: int) -> float:
        own = self._tags[tag].period_s
        return self._device.period_s if own is None else own

    def _monitored(self, tag: int) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ua.ReadValueId(self._nodes[tag], AttributeIds.Value),
            ua.MonitoringMode.Reporting,
            ua.MonitoringParameters(
                ClientHandle=tag,
                SamplingInterval=1000 * self._period_s(tag),
                QueueSize=QUEUE_SIZE,
                DiscardOldest=True,
            ),
        )

    def _take_published(self, result: ua.PublishResult) -> None:
        """Deliver what one message of the server tells, as one block."""
        said: list[Said] = []
        for notification in result.NotificationMessage.NotificationData or ():
            if isinstance(notification, ua.DataChangeNotification):
                items = notification.MonitoredItems
                said += [_said(item.ClientHandle, item.Value) for item in items if item.ClientHandle in self._tags]
            elif isinstance(notification, ua.StatusChangeNotification):
                self._why_lost = f"the server ended the subscription: {notification.Status.name}"
        if said and self._deliver is not None:
            self._deliver(to_block(said, self._tags, self._clock.now_us()))

    async def _call(self, request: Awaitable[Answer]) -> Answer:
        try:
            return await request
        except FAILURES as error:
            if isinstance(error, UaStatusCodeError) and error.code == TOO_MANY:
                self._at_once = max(1, self._at_once // 2)
            raise DeviceLost(f"{self._device.url}: {_words(error)}") from error


def _node(text: str) -> ua.NodeId | None:
    try:
        return ua.NodeId.from_string(text)
    except (UaError, ValueError):
        return None


def _parts(tags: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (tags[start : start + size] for start in range(0, len(tags), size))


def _said(tag: int, value: ua.DataValue) -> Said:
    status = value.StatusCode.value if value.StatusCode is not None else 0
    return Said(tag, value.Value.Value if value.Value is not None else None, status, value.SourceTimestamp)


def _subscription(publishing_ms: float) -> ua.CreateSubscriptionParameters:
    return ua.CreateSubscriptionParameters(
        RequestedPublishingInterval=publishing_ms,
        RequestedLifetimeCount=math.ceil(LIFETIME_S * 1000 / publishing_ms),
        RequestedMaxKeepAliveCount=math.ceil(KEEPALIVE_S * 1000 / publishing_ms),
        MaxNotificationsPerPublish=0,
        PublishingEnabled=True,
    )


def _as_written(number: float, kind: Kind) -> object:
    match kind:
        case Kind.BOOL:
            return bool(number)
        case Kind.INT | Kind.UINT:
            return round(number)
        case Kind.FLOAT | Kind.TEXT:
            return float(number)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
