"""The demo's MQTT broker: Mosquitto where there is one, else the broker that comes with `iotcore`; loopback only."""

import os
import pwd
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

# Whoever runs the demo runs its broker: a change of user would undo that the kernel ends it with the demo.
MOSQUITTO = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 10000
max_inflight_messages 100
log_type error
log_type warning
"""
IOTCORE = """\
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


def find_mosquitto() -> str | None:
    """Return Mosquitto's path, also where only root has its folder on the PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def broker_command(directory: Path, port: int, *, mosquitto: str | None) -> Sequence[str]:
    """Write the broker's configuration and return the command that starts it."""
    if mosquitto is not None:
        config = directory / "mosquitto.conf"
        config.write_text(MOSQUITTO.format(port=port, user=pwd.getpwuid(os.getuid()).pw_name))
        return (mosquitto, "-c", str(config))
    config = directory / "iotcore.toml"
    config.write_text(IOTCORE.format(port=port))
    # Its log tells of every packet as an error.
    return (sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL")


def listens(port: int) -> bool:
    """Return whether somebody takes connections on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False
