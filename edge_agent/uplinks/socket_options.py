"""What a connection to the broker asks of the operating system."""

import socket


def send_at_once(_: object, __: object, opened: object) -> None:
    """Let each small packet go out by itself: one held back until the other side is heard waits for up to 40 ms."""
    if isinstance(opened, socket.socket):  # a WebSocket is wrapped and has no options
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
