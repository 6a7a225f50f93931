"""What a configuration says of Devices and their Tags: how to reach them, what to read, how to understand it."""

from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from edge_agent.config.addresses import BusAddress, Link, parse_bus_url
from edge_agent.config.detect import Detect, Secret, check_detect
from protocols.reading import Kind
from protocols.registers import RegisterFormat
from protocols.tag import ByteOrder, DataType, WordOrder

DeviceId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}$", description="1 to 64 letters, digits, _ . : -")
]
TagName = Annotated[str, Meta(min_length=1, max_length=128, description="what the Tag is called on its Device")]
PeriodS = Annotated[float, Meta(ge=0, le=86_400, description="seconds between polls; 0: as fast as the Device answers")]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
TimeoutS = Annotated[float, Meta(gt=0, le=60, description="seconds to wait for one answer")]
ANY_NUMBER = Meta(max_length=20_000, extra={"unique": "name"})
AT_LEAST_ONE = Meta(min_length=1, max_length=20_000, extra={"unique": "name"})


class Table(StrEnum):
    """One of the four address spaces of a Modbus unit."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        """Return whether it holds single bits, not registers."""
        return self in (Table.COIL, Table.DISCRETE)


class SecurityPolicy(StrEnum):
    """How an OPC UA connection is protected."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES128_SHA256_RSAOAEP = "Aes128Sha256RsaOaep"
    AES256_SHA256_RSAPSS = "Aes256Sha256RsaPss"


class SecurityMode(StrEnum):
    """Whether messages are signed, or also encrypted."""

    SIGN = "Sign"
    SIGN_AND_ENCRYPT = "SignAndEncrypt"


class TagSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every Tag may say, whatever its Device speaks.

    value = raw * scale + offset; `range` and `flat_line_s` are judged by the quality gate, `deadband`,
    `deadband_percent` (of the last value sent) and `max_silence_s` by the deadband gate, `rate_of_change` (a second) by
    the detector; 0 switches each off.
    """

    name: TagName
    type: DataType = DataType.FLOAT64
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    period_s: PeriodS | None = None
    range: tuple[float, float] | None = None
    deadband: Annotated[float, Meta(ge=0)] = 0.0
    deadband_percent: Annotated[float, Meta(ge=0, le=100)] = 0.0
    max_silence_s: Seconds = 60.0
    flat_line_s: Seconds = 0.0
    rate_of_change: Annotated[float, Meta(ge=0)] = 0.0
    primary: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if self.scale == 0 or not isfinite(self.scale) or not isfinite(self.offset):
            raise ValueError("scale, offset: must be finite, and a scale of 0 would make every value the offset")
        if self.is_scaled and self.type in (DataType.TEXT, DataType.BOOL):
            raise ValueError(f"scale, offset: a {self.type} cannot be scaled")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range: {list(self.range)} must rise from the lowest to the highest allowed value")

    @property
    def is_scaled(self) -> bool:
        """Return whether raw values are changed by scale or offset."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def kind(self) -> Kind:
        """Return the column that the Tag's values live in: scaled values are floats."""
        return Kind.FLOAT if self.is_scaled else self.type.kind


class ModbusTag(TagSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Tag in a Modbus table; bit: one bit (0 lowest) of a register; length: how many registers a string has."""

    address: Annotated[int, Meta(ge=0, le=65_535, description="zero-based, as on the wire")]
    table: Table = Table.HOLDING
    type: DataType = DataType.UINT16
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    length: Annotated[int, Meta(ge=1, le=125, description="registers of a string")] = 1

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        super().__post_init__()
        is_bool = self.type in (DataType.BOOL, DataType.UINT16) and not self.is_scaled
        if self.table.is_bits and (not is_bool or self.bit is not None):
            raise ValueError(f"type: a {self.table} holds single bits: only bool, without scale, offset or bit")
        if not self.table.is_bits and self.type is DataType.BOOL and self.bit is None:
            raise ValueError("bit: a bool in a register needs the number of its bit, 0 (lowest) to 15")
        if self.bit is not None and not is_bool:
            raise ValueError(f"bit: one bit of a register is a bool, not a {self.type}, and has no scale")
        if self.length != 1 and self.type is not DataType.TEXT:
            raise ValueError(f"length: only a string says its length, a {self.type} knows it")
        if self.address + self.width > 65_536:
            raise ValueError(f"address: {self.address} and {self.width} registers go beyond the last one, 65535")

    @property
    def width(self) -> int:
        """Return how many registers, or bits of a bit table, one value takes."""
        if self.table.is_bits or self.bit is not None:
            return 1
        return self.length if self.type is DataType.TEXT else self.type.words

    @property
    def kind(self) -> Kind:
        """Return the column that the Tag's values live in: bits are bools, scaled values floats."""
        return self.form.kind

    @property
    def form(self) -> RegisterFormat:
        """Return how one value lies in its registers; each bit of a bit table counts as a register."""
        if self.table.is_bits or self.bit is not None:
            return RegisterFormat(DataType.BOOL, bit=self.bit)
        return RegisterFormat(
            self.type,
            byte_order=self.byte_order,
            word_order=self.word_order,
            length=self.length,
            scale=self.scale,
            offset=self.offset,
        )


class OpcuaTag(TagSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Tag that is a variable of an OPC UA server; node: its id, such as `ns=2;s=oven-1.temperature`."""

    node: Annotated[str, Meta(pattern=r"^(ns=\d{1,5};)?[isgb]=.+$", description="such as ns=2;s=oven-1.temperature")]


class ReplayTag(TagSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Tag that is a column of a recording; column: its heading where it differs from the Tag's name."""

    column: str = ""


class DeviceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="protocol"):
    """What every Device may say, whatever it speaks; period_s holds for the Tags that have none of their own.

    detect: how it is judged, false: not at all; as the file says for all Devices where unset.
    """

    id: DeviceId
    type: str = ""
    name: str = ""
    location: str = ""
    period_s: PeriodS = 1.0
    timeout_s: TimeoutS = 1.0
    detect: Detect = None


class TlsFiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PEM files of a TLS connection; server_name: whom the certificate must name, where that is not the host."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where one half of a pair is missing."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate, key: one is useless without the other")


class ModbusDevice(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="modbus"):
    """One unit on a Modbus line.

    pause_s: rest between two requests, for fragile devices (the longest of all units of a line holds); max_registers,
    max_bits: the most that one request may ask for; max_gap: how many unwanted registers may be read to save a request.
    """

    url: str
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    tls: TlsFiles | None = None
    pause_s: Annotated[float, Meta(ge=0, le=10)] = 0.0
    max_registers: Annotated[int, Meta(ge=1, le=125)] = 125
    max_bits: Annotated[int, Meta(ge=1, le=2000)] = 2000
    max_gap: Annotated[int, Meta(ge=0, le=124)] = 16
    tags: Annotated[tuple[ModbusTag, ...], AT_LEAST_ONE]

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if (self.address.link is Link.TLS) != (self.tls is not None):
            raise ValueError("tls: a tls:// url needs it, and no other may have it")
        for tag in self.tags:
            if not tag.table.is_bits and tag.width > self.max_registers:
                raise ValueError(f"max_registers: {self.max_registers} do not hold {tag.name!r}, which has {tag.width}")
        check_detect(self.detect, self.tags, self.period_s)

    @property
    def address(self) -> BusAddress:
        """Return the line the unit is on; raise ValueError where the url is none."""
        try:
            return parse_bus_url(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from error


class OpcuaSecurity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to be sure of an OPC UA server, and it of us; server_certificate: the one it must show, pinned."""

    policy: SecurityPolicy = SecurityPolicy.NONE
    mode: SecurityMode = SecurityMode.SIGN_AND_ENCRYPT
    certificate: Path | None = None
    key: Path | None = None
    server_certificate: Path | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where a policy lacks its files."""
        files = {"certificate": self.certificate, "key": self.key, "server_certificate": self.server_certificate}
        missing = [name for name, path in files.items() if path is None]
        if self.policy is not SecurityPolicy.NONE and missing:
            raise ValueError(f"{', '.join(missing)}: needed for the policy {self.policy}")


class OpcuaDevice(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="opcua"):
    """One OPC UA server; subscribe: have it tell changes (sampled each period_s) instead of asking each period_s."""

    url: Annotated[str, Meta(pattern=r"^opc\.tcp://[^/\s]+", description="opc.tcp://HOST:PORT[/PATH]")]
    timeout_s: TimeoutS = 4.0
    security: OpcuaSecurity = OpcuaSecurity()
    username: str = ""
    password: Secret | None = None
    application_uri: str = "urn:lineside:agent"
    subscribe: bool = True
    tags: Annotated[tuple[OpcuaTag, ...], AT_LEAST_ONE]

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if (self.password is None) != (not self.username):
            raise ValueError("username, password: one is useless without the other")
        check_detect(self.detect, self.tags, self.period_s)


class ReplayDevice(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="replay"):
    """A recording (.csv or .csv.gz with a heading) played as a Device; without tags each numeric column is one.

    Row k holds from k / rows_per_s / speed seconds after the start; repeat: start over at the end.
    """

    file: Path
    speed: Annotated[float, Meta(gt=0, le=1_000_000)] = 1.0
    rows_per_s: Annotated[float, Meta(gt=0, le=1_000_000)] = 1.0
    repeat: bool = True
    tags: Annotated[tuple[ReplayTag, ...], ANY_NUMBER] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if self.tags:
            check_detect(self.detect, self.tags, self.period_s)


Device = ModbusDevice | OpcuaDevice | ReplayDevice
