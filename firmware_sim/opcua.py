"""OPC UA servers: the rows of machines as nodes `ns=2;s=MACHINE.TAG`, with and without security.

All nodes of a machine change between two turns of the loop, so that a read never mixes two rows. The truth lists each
read, each change that a monitored item was told of, and the first value of each new monitored item.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC

from asyncua import ua
from asyncua.common.callback import Callback, CallbackService, CallbackType, ServerItemCallback
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uatypes import DateTime

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
            server_certificate=str(self._pair.certificate) if self._pair else "",
            client_certificate=str(client.certificate),
            client_key=str(client.key),
            application_uri=CLIENT_URI,
        )

    async def start(self) -> None:
        """Listen; raise CannotListen."""
        server = Server()
        await server.init()
        await server.set_application_uri(SERVER_URI)
        server.set_server_name("Lineside simulated plant")
        server.set_security_policy([_POLICIES[policy] for policy in self._settings.security])
        await self._show_certificate(server)
        await self._add_nodes(server)
        server.set_endpoint(self.url)
        await self._listen(server)
        self._server = server
        for machine in self._machines:
            await self.publish(machine)

    async def _listen(self, server: Server) -> None:
        logger = logging.getLogger("asyncua.server.server")
        logger.addFilter(_only_warnings)
        try:
            await server.start()
        except OSError as error:
            raise CannotListen(f"cannot listen on {self.url}: {error}") from error
        if server.bserver is not None:
            self.port = server.bserver.port

    async def _show_certificate(self, server: Server) -> None:
        if set(self._settings.security) == {"None"}:
            return
        if self._pair is None:
            certificate, key = self._settings.certificate, self._settings.key
            self._pair = Pair(certificate, key) if certificate and key else self._fresh_pair()
        await server.load_certificate(self._pair.certificate)
        await server.load_private_key(self._pair.key)

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
        told: list[int] = []
        for index, node in enumerate(self._nodes[machine.name]):
            value = ua.DataValue(ua.Variant(row.raw[index], _VARIANTS[machine.tags[index].type]), SourceTimestamp=at)
            is_new = before is None or before.raw[index] != row.raw[index]
            if is_new and space[node].attributes[AttributeIds.Value].datachange_callbacks:
                told.append(index)
            await space.write_attribute_value(node, AttributeIds.Value, value)
        self._written[machine.name] = row
        if told:
            self._truth.served(self._truth.span(machine.name, told, "push"), row)

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
        """Break every connection off and stop listening."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()

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


def _only_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
