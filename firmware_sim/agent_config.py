"""The agent's configuration for a running plant, so that nobody keeps a second list of tags."""

from pathlib import Path
from typing import Any

from firmware_sim.endpoints import Endpoint, EndpointTag, Ready
from firmware_sim.sources import ROW
from protocols.tag import DataType

REPLAY_POLL_S = 0.01
"""A recording is polled faster than its rows switch, so that no row is missed."""
NEUTRAL = {"scale": 1.0, "offset": 0.0, "unit": "", "bit": None, "word_order": "big", "byte_order": "big"}


def compose(
    ready: Ready, *, gateway: str = "gw-1", broker: tuple[str, int] = ("127.0.0.1", 1883), buffer: Path | None = None
) -> dict[str, Any]:
    """Return the document that `lineside-agent run` takes: every machine of the plant as a Device."""
    return {
        "gateway": gateway,
        "buffer": {"path": str(buffer or Path("buffer.db"))},
        "uplink": {"host": broker[0], "port": broker[1]},
        "devices": [_device(endpoint) for endpoint in ready.machines],
    }


def _device(endpoint: Endpoint) -> dict[str, Any]:
    is_replay = endpoint.counter == ROW
    device: dict[str, Any] = {
        "id": endpoint.machine,
        "protocol": endpoint.protocol,
        "type": endpoint.type,
        "url": endpoint.url,
        "period_s": min(REPLAY_POLL_S, endpoint.period_s) if is_replay else endpoint.period_s,
    }
    if endpoint.location:
        device["location"] = endpoint.location
    if endpoint.protocol == "opcua":
        return device | _opcua_security(endpoint) | {"tags": [_node(tag) for tag in endpoint.tags]}
    device |= {"unit": endpoint.unit, "max_registers": endpoint.max_registers}
    return device | _tls(endpoint) | {"tags": [_register(tag) for tag in endpoint.tags]}


def _opcua_security(endpoint: Endpoint) -> dict[str, Any]:
    security = endpoint.security
    if security is None:
        return {}
    return {
        "security": {
            "policy": "Basic256Sha256",
            "mode": "SignAndEncrypt",
            "certificate": security.client_certificate,
            "key": security.client_key,
            "server_certificate": security.server_certificate,
        },
        "application_uri": security.application_uri,
    }


def _tls(endpoint: Endpoint) -> dict[str, Any]:
    security = endpoint.security
    if security is None:
        return {}
    return {"tls": {"ca": security.ca, "certificate": security.client_certificate, "key": security.client_key}}


def _node(tag: EndpointTag) -> dict[str, Any]:
    return {"name": tag.name, "node": tag.node, "type": tag.type} | _extras(tag, ("scale", "offset", "unit"))


def _register(tag: EndpointTag) -> dict[str, Any]:
    register: dict[str, Any] = {"name": tag.name, "table": tag.table, "address": tag.address, "type": tag.type}
    if tag.type == DataType.TEXT:
        register["length"] = tag.length
    return register | _extras(tag, tuple(NEUTRAL))


def _extras(tag: EndpointTag, names: tuple[str, ...]) -> dict[str, Any]:
    given = {name: getattr(tag, name) for name in names}
    return {name: value for name, value in given.items() if value != NEUTRAL[name]}
