"""Asks the running plant for something, by its control port."""

import socket
from pathlib import Path
from typing import Any

import msgspec

TIMEOUT_S = 5.0


def ask_plant(ready: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the plant's answer; ready: the file in which it says where it is. Raise OSError where nothing answers."""
    host, _, port = msgspec.json.decode(ready.read_bytes())["control"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as line, line.makefile("rb") as answers:
        line.sendall(msgspec.json.encode(request) + b"\n")
        answer: dict[str, Any] = msgspec.json.decode(answers.readline())
    return answer
