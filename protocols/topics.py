"""Every MQTT topic, built and parsed here only."""

import re
from enum import StrEnum
from typing import NamedTuple

from protocols.errors import InvalidTopic

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
"""What a gateway or a device may be called: 1 to 64 letters, digits, `_ . : -`, not led by a sign."""


class GatewayTopic(StrEnum):
    """The last part of a topic under `v1/gw/{gateway}`."""

    DATA = "data"
    HELLO = "hello"
    ACK = "ack"
    STATE = "state"
    COMMAND = "cmd"
    REPLY = "reply"
    MODELS = "models"


class GatewayAddress(NamedTuple):
    """Whose topic it is, and which."""

    gateway: str
    part: GatewayTopic


def check_name(name: str) -> str:
    """Return the name; raise InvalidTopic where it could not be part of a topic."""
    if not NAME.fullmatch(name):
        raise InvalidTopic(f"{name[:80]!r} is no name: 1 to 64 letters, digits or _ . : - and no sign first")
    return name


def gateway_topic(gateway: str, part: GatewayTopic) -> str:
    """Return `v1/gw/{gateway}/{part}`."""
    return f"v1/gw/{check_name(gateway)}/{part}"


def gateway_filter(part: GatewayTopic, *, share: str | None = None) -> str:
    """Return the subscription for this part of every gateway, shared among the replicas of a group if one is named."""
    wanted = f"v1/gw/+/{part}"
    return f"$share/{share}/{wanted}" if share else wanted


def telemetry_topic(device: str) -> str:
    """Return `v1/devices/{device}/telemetry`, where any device may send JSON."""
    return f"v1/devices/{check_name(device)}/telemetry"


def telemetry_filter(*, share: str | None = None) -> str:
    """Return the subscription for the JSON telemetry of every device."""
    wanted = "v1/devices/+/telemetry"
    return f"$share/{share}/{wanted}" if share else wanted


def parse_gateway(topic: str) -> GatewayAddress:
    """Return whose topic it is; raise InvalidTopic where it is none of a gateway's."""
    parts = topic.split("/")
    if len(parts) != 4 or parts[:2] != ["v1", "gw"] or parts[3] not in list(GatewayTopic):
        raise InvalidTopic(f"{topic[:120]!r} is not v1/gw/NAME/{{{','.join(GatewayTopic)}}}")
    return GatewayAddress(check_name(parts[2]), GatewayTopic(parts[3]))


def parse_telemetry(topic: str) -> str:
    """Return the device; raise InvalidTopic where it is no telemetry topic."""
    parts = topic.split("/")
    if len(parts) != 4 or parts[:2] != ["v1", "devices"] or parts[3] != "telemetry":
        raise InvalidTopic(f"{topic[:120]!r} is not v1/devices/ID/telemetry")
    return check_name(parts[2])
