"""A real OPC UA server on loopback, with and without security, that can go away and come back."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.callback import Callback, CallbackService, CallbackType, ServerItemCallback
from asyncua.common.utils import ServiceError
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uatypes import DateTime
from cryptography.x509.oid import ExtendedKeyUsageOID

CLIENT_URI, SERVER_URI = "urn:lineside:test:client", "urn:lineside:test:server"


async def make_pair(folder: Path, name: str, uri: str) -> tuple[Path, Path]:
    """Write a self-signed certificate (DER) and its key (PEM); return both paths."""
    certificate, key = folder / f"{name}.der", folder / f"{name}.pem"
    use = ExtendedKeyUsageOID.SERVER_AUTH if uri == SERVER_URI else ExtendedKeyUsageOID.CLIENT_AUTH
    await setup_self_signed_certificate(key, certificate, uri, "localhost", [use], {})
    return certificate, key


class OneUser(UserManager):
    """Lets in whoever knows the one name and password; with no name, everybody."""

    def __init__(self, name: str, password: str) -> None:
        self._expected = (name, password)

    def get_user(
        self,
        iserver: Any,  # noqa: ANN401 - the library's signature
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,  # noqa: ANN401 - the library's signature
    ) -> User | None:
        """Return the user, None where it is not welcome."""
        del iserver, certificate
        is_known = not self._expected[0] or (username, password) == self._expected
        return User(role=UserRole.Admin, name=username) if is_known else None


class OpcuaTestServer:
    """Serves nodes `ns=2;s=NAME` with the values given; keeps its port over restarts."""

    def __init__(
        self,
        nodes: Mapping[str, ua.Variant],
        *,
        policies: tuple[ua.SecurityPolicyType, ...] = (ua.SecurityPolicyType.NoSecurity,),
        pair: tuple[Path, Path] | None = None,
        user: tuple[str, str] = ("", ""),
    ) -> None:
        self.port = 0
        self._nodes = dict(nodes)
        self._policies = policies
        self._pair = pair
        self._user = user
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Return the address."""
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on a free port the first time; what was served before is served again."""
        if self._server is None:
            self._server = await self._make()
        self._server.set_endpoint(self.url)
        await self._server.start()
        assert self._server.bserver is not None
        self.port = self._server.bserver.port
        for name, variant in self._nodes.items():
            await self.set(name, variant)

    async def stop(self) -> None:
        """Break all connections off and stop listening."""
        if self._server is not None:
            await self._server.stop()

    @contextmanager
    def limiting_reads(self, most: int) -> Iterator[None]:
        """Refuse reads of more nodes at once for as long as the block lasts."""

        def check(event: Callback, _: CallbackService) -> None:
            if isinstance(event, ServerItemCallback) and len(event.request_params.NodesToRead) > most:
                raise ServiceError(StatusCodes.BadTooManyOperations)

        assert self._server is not None
        callbacks = self._server.iserver.callback_service
        callbacks.addListener(CallbackType.PreRead, check)  # type: ignore[arg-type]  # it hands out enums, declares str
        yield
        callbacks.removeListener(CallbackType.PreRead, check)  # type: ignore[arg-type]  # as above

    async def _make(self) -> Server:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        server = Server(user_manager=OneUser(*self._user))
        await server.init()
        await server.set_application_uri(SERVER_URI)
        server.set_security_policy(list(self._policies))
        if self._pair is not None:
            await server.load_certificate(str(self._pair[0]))
            await server.load_private_key(str(self._pair[1]))
        space = await server.register_namespace("urn:lineside:test")
        for name, variant in self._nodes.items():
            node = ua.NodeId.from_string(f"ns={space};s={name}")
            await (await server.nodes.objects.add_variable(node, name, variant)).set_writable()
        return server

    async def set(self, name: str, variant: ua.Variant, *, status: int = 0, at: DateTime | None = None) -> None:
        """Change what a node holds."""
        assert self._server is not None
        value = ua.DataValue(variant, ua.StatusCode(ua.UInt32(status)), SourceTimestamp=at or DateTime.now(UTC))
        await self._server.get_node(f"ns=2;s={name}").write_value(value)
