"""OPC UA servers: the rows of machines as nodes `ns=2;s=MACHINE.TAG`, with and without security.

All nodes of a machine change between two turns of the loop, so that a read never mixes two rows. The truth lists each
read, each change that a monitored item was told of, and the first value of each new monitored item.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from asyncua import ua
from asyncua.common.callback import Callback, CallbackService, CallbackType, ServerItemCallback
from asyncua.server.internal_server import InternalServer
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uatypes import DateTime

from firmware_sim.audience import Audience
from firmware_sim.certificates import CLIENT_URI, SERVER_URI, Certificates, Pair
from firmware_sim.endpoints import Security
from firmware_sim.errors import CannotListen
from firmware_sim.machine import Machine, Row
from firmware_sim.plant import OpcuaServer
from firmware_sim.truth import How, TruthWriter
from protocols.tag import DataType

NAMESPACE = "urn:lineside:plant"
_VARIANTS: Mapping[DataType, ua.VariantType] = {
    DataType.BOOL: ua.VariantType.Boolean,
    DataType.INT16: ua.VariantType.Int16,
    DataType.UINT16: ua.VariantType.UInt16,
    DataType.INT32: ua.VariantType.Int32,
    DataType.UINT32: ua.VariantType.UInt32,
    DataType.INT64: ua.VariantType.Int64,
    DataType.UINT64: ua.VariantType.UInt64,
    DataType.FLOAT32: ua.VariantType.Float,
    DataType.FLOAT64: ua.VariantType.Double,
    DataType.TEXT: ua.VariantType.String,
}
_POLICIES = {
    "None": ua.SecurityPolicyType.NoSecurity,
    "Basic256Sha256": ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
}


class OpcuaPlantServer:
    """One OPC UA server with its machines; keeps its port over restarts."""

    def __init__(
        self, settings: OpcuaServer, machines: Sequence[Machine], truth: TruthWriter, certificates: Certificates
    ) -> None:
        self.host = settings.host
        self.port = settings.port
        self._settings = settings
        self._machines = tuple(machines)
        self._truth = truth
        self._certificates = certificates
        self._pair: Pair | None = None
        self._server: Server | None = None
        self._space: InternalServer | None = None
        self._audience = Audience(truth)
        self._places: dict[ua.NodeId, tuple[Machine, int]] = {}
        self._nodes: dict[str, tuple[ua.NodeId, ...]] = {}
        self._written: dict[str, Row] = {}

    @property
    def url(self) -> str:
        """Return the address."""
        return f"opc.tcp://{self.host}:{self.port}"

    @property
    def security(self) -> Security | None:
        """Return what a client of a protected endpoint needs."""
        if set(self._settings.security) == {"None"}:
            return None
        client = self._certificates.for_opcua_client()
        return Security(
            policies=tuple(self._settings.security),
            server_certificate=str(self._shown().certificate),
            client_certificate=str(client.certificate),
            client_key=str(client.key),
            application_uri=CLIENT_URI,
        )

    async def start(self) -> None:
        """Listen; raise CannotListen. The address space is built once and kept, as it takes seconds."""
        is_new = self._space is None
        server = Server(iserver=self._space)
        if is_new:
            await server.init()
            await self._add_nodes(server)
        server.iserver.endpoints.clear()
        await server.set_application_uri(SERVER_URI)
        server.set_server_name("Lineside simulated plant")
        server.set_security_policy([_POLICIES[policy] for policy in self._settings.security])
        await self._show_certificate(server)
        server.set_endpoint(self.url)
        await self._listen(server)
        self._space, self._server = server.iserver, server
        for machine in self._machines:
            await self.publish(machine)

    async def _listen(self, server: Server) -> None:
        logging.getLogger("asyncua.server.server").addFilter(_only_errors)
        try:
            await server.start()
        except OSError as error:
            raise CannotListen(f"cannot listen on {self.url}: {error}") from error
        if server.bserver is not None:
            self.port = server.bserver.port

    async def _show_certificate(self, server: Server) -> None:
        if set(self._settings.security) == {"None"}:
            return
        await server.load_certificate(self._shown().certificate)
        await server.load_private_key(self._shown().key)

    def _shown(self) -> Pair:
        if self._pair is None:
            certificate, key = self._settings.certificate, self._settings.key
            self._pair = Pair(certificate, key) if certificate and key else self._fresh_pair()
        return self._pair

    def _fresh_pair(self) -> Pair:
        return self._certificates.for_opcua_server(self._settings.id)

    async def _add_nodes(self, server: Server) -> None:
        space = await server.register_namespace(NAMESPACE)
        self._places.clear()
        for machine in self._machines:
            folder = await server.nodes.objects.add_object(_id(space, machine.name), machine.name)
            ids = tuple(_id(space, f"{machine.name}.{tag.name}") for tag in machine.tags)
            for index, (node, tag) in enumerate(zip(ids, machine.tags, strict=True)):
                await folder.add_variable(node, tag.name, machine.row.raw[index], _VARIANTS[tag.type])
                self._places[node] = machine, index
            self._nodes[machine.name] = ids
        callbacks = server.iserver.callback_service
        for kind, listener in (
            (CallbackType.PostRead, self._note_read),
            (CallbackType.ItemSubscriptionCreated, self._note_subscription),
        ):
            callbacks.addListener(kind, listener)  # type: ignore[arg-type]  # the library hands out enums, declares str

    async def publish(self, machine: Machine) -> None:
        """Write the machine's current row into its nodes; nothing else runs meanwhile."""
        if self._server is None:
            return
        space = self._server.iserver.aspace
        at = DateTime.fromtimestamp(machine.row.at_us / 1e6, UTC)
        before, row = self._written.get(machine.name), machine.row
        changed: dict[int, set[int]] = {}
        for index, node in enumerate(self._nodes[machine.name]):
            value = ua.DataValue(ua.Variant(row.raw[index], _VARIANTS[machine.tags[index].type]), SourceTimestamp=at)
            if before is None or before.raw[index] != row.raw[index]:
                callbacks = space[node].attributes[AttributeIds.Value].datachange_callbacks.values()
                changed[index] = {_subscription(each) for each in callbacks}
            await space.write_attribute_value(node, AttributeIds.Value, value)
        self._written[machine.name] = row
        self._tell(machine, row, changed)

    def _tell(self, machine: Machine, row: Row, changed: dict[int, set[int]]) -> None:
        if self._server is None or self._server.bserver is None:
            return
        subscriptions = self._server.iserver.subscription_service.subscriptions
        processors = [client.processor for client in self._server.bserver.clients]
        sessions = {each.session.session_id for each in processors if each is not None and each.session is not None}
        connected = {number for number, each in subscriptions.items() if each.session_id in sessions}
        self._audience.meet(connected, subscriptions.keys())
        self._audience.hear(machine.name, row, changed, connected)

    def _note_read(self, event: Callback, _: CallbackService) -> None:
        if isinstance(event, ServerItemCallback) and event.is_external:
            asked = event.request_params.NodesToRead
            self._note([each.NodeId for each in asked if each.AttributeId == AttributeIds.Value], "read")

    def _note_subscription(self, event: Callback, _: CallbackService) -> None:
        if not isinstance(event, ServerItemCallback):
            return
        wanted = zip(event.request_params.ItemsToCreate, event.response_params, strict=True)
        self._note([item.ItemToMonitor.NodeId for item, result in wanted if result.StatusCode.is_good()], "push")

    def _note(self, nodes: Sequence[ua.NodeId], how: How) -> None:
        asked: dict[str, tuple[Machine, list[int]]] = {}
        for node in nodes:
            if node in self._places:
                machine, index = self._places[node]
                asked.setdefault(machine.name, (machine, []))[1].append(index)
        for name, (machine, indices) in asked.items():
            machine.first_read.set()
            self._truth.served(self._truth.span(name, indices, how), self._written[name])

    async def stop(self) -> None:
        """Break every connection off, forget every session and stop listening."""
        if self._server is None:
            return
        server, self._server = self._server, None
        ticking, server.iserver.time_task = server.iserver.time_task, None
        if ticking is not None:
            ticking.cancel()  # the library would wait up to a second for it
        await server.stop()
        for session in tuple(server.iserver._external_sessions.values()):  # noqa: SLF001 - no public way to end one
            await session.close_session()

    async def reset(self) -> None:
        """Break every connection off and go on listening."""
        for transport in tuple(self._server.iserver.asyncio_transports if self._server else ()):
            transport.abort()

    def close(self) -> None:
        """Do nothing: what was made is the plant's."""

    def renew_certificate(self) -> None:
        """Show another certificate from the next start on."""
        self._pair = self._fresh_pair()


def _id(space: int, name: str) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={space};s={name}")


def _subscription(callback: Any) -> int:  # noqa: ANN401 - a bound method of the library, whose object knows it
    number: int = callback.__self__.isub.data.SubscriptionId
    return number


def _only_errors(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
