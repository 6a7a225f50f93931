"""Free ports: where a server can listen now, and still can when it has been down for a while."""

import socket
from random import SystemRandom

_FIRST, _LAST = 20_000, 32_767
"""Below 32,768 Linux takes no ports for outgoing connections: none of those gets in first."""
_TRIES = 1_000


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on now; raise OSError where none was found."""
    draw = SystemRandom()
    for _ in range(_TRIES):
        port = draw.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            if _is_free(probe, port):
                return port
    raise OSError(f"none of {_TRIES} ports from {_FIRST} to {_LAST} was free on 127.0.0.1")


def _is_free(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
