"""What a configuration may say of Devices, and what it may not."""

from typing import Any

import msgspec
import pytest

from edge_agent.config.addresses import BusAddress, Link, parse_bus_url
from edge_agent.config.devices import ModbusDevice, ModbusTag, OpcuaDevice, OpcuaTag
from protocols.reading import Kind
from protocols.tag import DataType


def convert(wanted: type, given: dict[str, Any]) -> Any:  # noqa: ANN401 - each test knows what it gets
    return msgspec.convert(given, wanted)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://plc-1:5020", BusAddress(Link.TCP, host="plc-1", port=5020)),
        ("tcp://plc-1", BusAddress(Link.TCP, host="plc-1", port=502)),
        ("tls://[::1]/", BusAddress(Link.TLS, host="::1", port=802)),
        ("rtu:///dev/ttyUSB0", BusAddress(Link.RTU, path="/dev/ttyUSB0")),
        (
            "rtu:///dev/ttyS1?baudrate=19200&parity=E&stopbits=2&bytesize=7",
            BusAddress(Link.RTU, path="/dev/ttyS1", baudrate=19200, parity="E", stopbits=2, bytesize=7),
        ),
    ],
)
def test_an_address_is_taken_apart(url: str, address: BusAddress) -> None:
    assert parse_bus_url(url) == address


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("udp://plc-1:502", "is not tcp://"),
        ("plc-1:502", "is not tcp://"),
        ("tcp://", "names no host"),
        ("tcp://plc-1:99999", "[Pp]ort out of range"),
        ("tcp://plc-1/unit/3", "path or options"),
        ("rtu://ttyUSB0", "three slashes"),
        ("rtu:///dev/ttyUSB0?baud=9600", "'baud' is no serial option; allowed: baudrate"),
        ("rtu:///dev/ttyUSB0?parity=X", "parity=X: allowed are N, E, O"),
        ("rtu:///dev/ttyUSB0?baudrate=fast", "baudrate=fast"),
    ],
)
def test_an_address_that_makes_no_sense_says_why(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_bus_url(url)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ({"scale": 0.0}, "scale"),
        ({"scale": float("inf")}, "finite"),
        ({"type": "string", "scale": 2.0}, "cannot be scaled"),
        ({"range": [5.0, 1.0]}, "must rise"),
        ({"table": "coil", "type": "int16"}, "single bits"),
        ({"table": "coil", "bit": 3}, "single bits"),
        ({"type": "bool"}, "needs the number of its bit"),
        ({"type": "float32", "bit": 3}, "one bit of a register is a bool"),
        ({"length": 4}, "only a string says its length"),
        ({"address": 65_535, "type": "float64"}, "beyond the last one"),
        ({"address": -1}, ">= 0"),
        ({"type": "int12"}, "int12"),
        ({"adress": 1}, "adress"),
    ],
)
def test_a_modbus_tag_that_contradicts_itself_is_refused(tag: dict[str, Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        convert(ModbusTag, {"name": "x", "address": 0} | tag)


@pytest.mark.parametrize(
    ("tag", "kind", "width"),
    [
        ({}, Kind.UINT, 1),
        ({"type": "int32"}, Kind.INT, 2),
        ({"type": "int32", "scale": 0.1}, Kind.FLOAT, 2),
        ({"type": "float64"}, Kind.FLOAT, 4),
        ({"type": "string", "length": 8}, Kind.TEXT, 8),
        ({"type": "bool", "bit": 15}, Kind.BOOL, 1),
        ({"table": "discrete"}, Kind.BOOL, 1),
    ],
)
def test_a_modbus_tag_knows_its_kind_and_its_width(tag: dict[str, Any], kind: Kind, width: int) -> None:
    made = convert(ModbusTag, {"name": "x", "address": 0} | tag)
    assert (made.kind, made.width) == (kind, width)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ({"url": "tls://plc-1"}, "tls"),
        ({"tags": []}, "length"),
        ({"tags": [{"name": "x", "address": 0, "type": "float64"}], "max_registers": 3}, "do not hold 'x'"),
        ({"unit": 256}, "<= 255"),
        ({"id": "pump 1"}, "regex"),
    ],
)
def test_a_modbus_device_that_contradicts_itself_is_refused(device: dict[str, Any], reason: str) -> None:
    whole = {"id": "pump-1", "protocol": "modbus", "url": "tcp://plc", "tags": [{"name": "x", "address": 0}]}
    with pytest.raises(msgspec.ValidationError, match=reason):
        convert(ModbusDevice, whole | device)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ({"username": "operator"}, "useless without the other"),
        ({"username": "operator", "password": "secret"}, "regex"),
        ({"security": {"policy": "Basic256Sha256"}}, "certificate, key, server_certificate"),
        ({"security": {"policy": "Basic128Rsa15"}}, "Basic128Rsa15"),
        ({"url": "http://plc"}, "regex"),
    ],
)
def test_an_opcua_device_that_contradicts_itself_is_refused(device: dict[str, Any], reason: str) -> None:
    whole = {"id": "oven-1", "protocol": "opcua", "url": "opc.tcp://plc", "tags": [{"name": "x", "node": "i=1"}]}
    with pytest.raises(msgspec.ValidationError, match=reason):
        convert(OpcuaDevice, whole | device)


def test_a_tag_without_a_type_is_a_float_on_opcua_and_a_register_on_modbus() -> None:
    assert OpcuaTag(name="x", node="i=1").type is DataType.FLOAT64
    assert ModbusTag(name="x", address=0).type is DataType.UINT16
