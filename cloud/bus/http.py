"""HTTP to targets outside: one POST to an address that was checked after it was resolved; nothing is followed.

The name is resolved once and the connection goes to the very address that was judged, so a name that resolves
differently a moment later (DNS rebinding) gains nothing. The certificate is checked against the name.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

from cloud.domain.outside import Address, Place, refusal
from cloud.errors import Forbidden, Unavailable

_ANSWER_BYTES = 64 * 1024
Resolve = Callable[[str, int], Sequence[Address]]
"""Returns the addresses of a name for a port; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a request may reach and how long it may take; tls: what proves the other side."""

    tls: ssl.SSLContext
    timeout_s: float
    resolve: Resolve


def resolve_name(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a name; raise Unavailable where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} has no address: {error}", code="NO_ADDRESS") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def checked_address(place: Place, resolve: Resolve, *, allow_private: bool) -> Address:
    """Return the address to connect to; raise Forbidden where any of the name's addresses may not be talked to."""
    addresses = resolve(place.host, place.port)
    for address in addresses:
        why = refusal(address, allow_private=allow_private)
        if why:
            raise Forbidden(f"{place.host} is not allowed: {why}", code="FORBIDDEN_TARGET")
    if not addresses:
        raise Unavailable(f"{place.host} has no address", code="NO_ADDRESS")
    return addresses[0]


def post(outside: Outside, place: Place, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> int:
    """Return the status that the target answers; raise Forbidden, or Unavailable where it does not answer in time."""
    address = checked_address(place, outside.resolve, allow_private=allow_private)
    connection = _Pinned(outside, place, address)
    try:
        # The socket's own timeout begins anew with every byte; this one ends the whole exchange.
        watch = threading.Timer(outside.timeout_s, connection.abort)
        watch.daemon = True
        watch.start()
        try:
            return _exchange(connection, place, headers, body)
        finally:
            watch.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = f"no answer in {outside.timeout_s:g} s" if connection.is_aborted else str(error) or type(error).__name__
        raise Unavailable(f"{place.host}: {late}", code="TARGET_UNREACHABLE") from error
    finally:
        connection.close()


def _exchange(connection: "_Pinned", place: Place, headers: Mapping[str, str], body: bytes) -> int:
    connection.request("POST", place.path, body, {**headers, "Host": place.host_header, "Connection": "close"})
    answer = connection.getresponse()
    answer.read(_ANSWER_BYTES)
    if connection.is_aborted:
        raise TimeoutError
    return answer.status


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to by now."""

    def __init__(self, outside: Outside, place: Place, address: Address) -> None:
        super().__init__(place.host, place.port, timeout=outside.timeout_s)
        self._outside = outside
        self._place = place
        self._address = str(address)
        self.is_aborted = False

    def connect(self) -> None:
        """Connect to the address, and prove the name where TLS is asked for."""
        plain = socket.create_connection((self._address, self._place.port), self._outside.timeout_s)
        self.sock = plain
        if self._place.is_tls:
            self.sock = self._outside.tls.wrap_socket(plain, server_hostname=self._place.host)
        if self.is_aborted:
            raise TimeoutError

    def abort(self) -> None:
        """End the exchange from another thread."""
        self.is_aborted = True
        sock = cast("socket.socket | None", self.sock)
        if sock is not None:
            try:
                # On the socket itself: TLS would wait for the other side to say goodbye.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return
