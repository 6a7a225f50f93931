"""The API's socket: bound before any process serves it, so that the port outlives them; and who can reach it."""

import socket
from collections.abc import Mapping
from ipaddress import ip_address

from cloud.config import Settings
from cloud.errors import InvalidConfig, Unavailable

LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_BACKLOG = 1024


def listen(settings: Settings) -> socket.socket:
    """Return a bound socket, so that the port outlives the process that serves it; raise OSError."""
    return _bound(settings.api.host, settings.api.port, is_shared=False)


def listen_elsewhere(settings: Settings) -> Mapping[str, socket.socket]:
    """Return the bound sockets of the API's further ports by their names; raise Unavailable where one is taken.

    Several API processes of this user may share them.
    """
    wanted = {"registry": settings.api.registry_port, "console": settings.api.console_port}
    opened: dict[str, socket.socket] = {}
    for name, port in wanted.items():
        if port is None:
            continue
        try:
            opened[name] = _bound(settings.api.host, port, is_shared=True)
        except OSError as error:
            for other in opened.values():
                other.close()
            raise Unavailable(f"api.{name}_port: {port} cannot be listened on: {error}") from error
    return opened


def _bound(host: str, port: int, *, is_shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared and port:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def address(bound: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port_of(bound: socket.socket) -> int:
    """Return the port of a bound socket."""
    return int(bound.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_NAMES


def refuse_open_door(settings: Settings) -> None:
    """Raise InvalidConfig where whoever reaches this machine could come in without a credential."""
    if settings.auth.anonymous and not is_loopback(settings.api.host):
        told = f"auth.anonymous: not with api.host {settings.api.host}, which others reach: bind to 127.0.0.1"
        raise InvalidConfig([told])
