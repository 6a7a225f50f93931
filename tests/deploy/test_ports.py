"""Ports for servers: free, and never one that the system may give to an outgoing connection."""

import socket
from pathlib import Path

from deploy.ports import free_port


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[0] == "127.0.0.1"


def test_no_outgoing_connection_is_given_such_a_port() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_port() for _ in range(50)) < max(first, 32_768)
