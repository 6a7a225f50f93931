"""Endpoints: where a running plant can be reached and what it shows there; written to the ready file."""

import os
from pathlib import Path

import msgspec

from firmware_sim.errors import InvalidPlant


class EndpointTag(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value at an endpoint, with all that a reader must know; node: its id on an OPC UA server."""

    name: str
    type: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    table: str = "holding"
    address: int = 0
    word_order: str = "big"
    byte_order: str = "big"
    bit: int | None = None
    length: int = 1
    node: str = ""


class Security(msgspec.Struct, frozen=True, omit_defaults=True):
    """Files of a protected endpoint: what the server shows, who signed it, and a pair made for a client."""

    policies: tuple[str, ...] = ()
    server_certificate: str = ""
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    application_uri: str = ""


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One machine on one server; url: tcp://, tls://, rtu:// or opc.tcp://; counter: the tag that counts rows."""

    machine: str
    type: str
    protocol: str
    url: str
    period_s: float
    counter: str
    tags: tuple[EndpointTag, ...]
    unit: int = 1
    max_registers: int = 125
    location: str = ""
    security: Security | None = None


class Ready(msgspec.Struct, frozen=True):
    """A running plant; control: HOST:PORT of the control port."""

    plant: str
    pid: int
    seed: int
    truth: str
    control: str
    machines: tuple[Endpoint, ...]

    def endpoint(self, machine: str) -> Endpoint:
        """Return where a machine is; raise KeyError where there is none of this name."""
        for endpoint in self.machines:
            if endpoint.machine == machine:
                return endpoint
        raise KeyError(machine)


def write_ready(path: Path, ready: Ready) -> None:
    """Write the file whole or not at all, so that whoever waits for it never reads half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(ready), indent=2) + b"\n")
    draft.replace(path)


def read_ready(path: Path) -> Ready:
    """Return a running plant's endpoints; raise InvalidPlant where the file is none of these."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ready)
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidPlant(f"{path}: is no ready file of a plant: {error}") from error
