"""What a configuration file may say: the gateway, its buffer, its uplink, its watch, and its Devices."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from edge_agent.config.detect import Detect, DetectSettings, ModelSettings, Secret, check_detect, meant
from edge_agent.config.devices import Device, DeviceId

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
Port = Annotated[int, Meta(ge=1, le=65_535)]


class Transport(StrEnum):
    """What carries MQTT."""

    TCP = "tcp"
    WEBSOCKETS = "websockets"


class MqttVersion(StrEnum):
    """Which MQTT the broker speaks."""

    V5 = "5"
    V311 = "3.1.1"


class Acknowledge(StrEnum):
    """Who must have a batch before the gateway may forget it: the cloud's store, or only the broker."""

    STORE = "store"
    BROKER = "broker"


class LogLevel(StrEnum):
    """The least important message that is still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class BufferSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where readings wait until the cloud has them. max_unsealed_s: the longest that a reading stays in memory only."""

    path: Annotated[Path, Meta(extra={"made": True})] = field(default_factory=lambda: Path("buffer.db"))
    max_size_mib: Annotated[int, Meta(ge=16, le=1_048_576)] = 512
    max_unsealed_s: Annotated[float, Meta(ge=0, le=60)] = 0.25


class UplinkTls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PEM files of a TLS connection to the broker; without ca the system's authorities are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where one half of a pair is missing."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate, key: one is useless without the other")


class UplinkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach the broker. topic: where plain JSON goes when the broker's word does (`acknowledge: broker`)."""

    host: Annotated[str, Meta(pattern=r"^[^\s/]+$", description="a host name or address, without mqtt://")] = (
        "127.0.0.1"
    )
    port: Port = 1883
    transport: Transport = Transport.TCP
    path: Annotated[str, Meta(pattern=r"^/\S*$", description="a path such as /mqtt")] = "/mqtt"
    tls: UplinkTls | None = None
    proxy: (
        Annotated[str, Meta(pattern=r"^(http|socks5)://[^\s]+$", description="http://HOST:PORT or socks5://HOST:PORT")]
        | None
    ) = None
    protocol: MqttVersion = MqttVersion.V5
    username: str = ""
    password: Secret | None = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    acknowledge: Acknowledge = Acknowledge.STORE
    topic: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if self.password is not None and not self.username:
            raise ValueError("password, username: a password is useless without a username")
        if self.topic and self.acknowledge is Acknowledge.STORE:
            raise ValueError("topic: only with acknowledge: broker; batches for a store have topics of their own")
        if self.acknowledge is Acknowledge.BROKER and not self.topic:
            raise ValueError("topic: is needed with acknowledge: broker, such as plant/{device}")
        if set("+#") & set(self.topic) or self.topic.startswith(("/", "$")):
            raise ValueError(f"topic: {self.topic!r} must hold neither + nor # and begin with neither / nor $")
        unknown = sorted(set(PLACEHOLDER.findall(self.topic)) - {"device", "gateway"})
        if unknown:
            raise ValueError(f"topic: {{{unknown[0]}}} is not known; allowed are {{device}} and {{gateway}}")
        if self.transport is Transport.TCP and self.path != "/mqtt":
            raise ValueError("path: only with transport: websockets")


class WatchSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the agent is watched: metrics, health and status on this port of 127.0.0.1, logs as JSON lines on stderr."""

    port: Port = 9464
    log_level: LogLevel = LogLevel.INFO


class AgentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole configuration file. detect: how every Device is judged that does not say so itself."""

    gateway: DeviceId
    buffer: BufferSettings = field(default_factory=BufferSettings)
    uplink: UplinkSettings = UplinkSettings()
    watch: WatchSettings = WatchSettings()
    models: ModelSettings = field(default_factory=ModelSettings)
    detect: Detect = None
    devices: Annotated[tuple[Device, ...], Meta(min_length=1, max_length=1_000, extra={"unique": "id"})]

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if self.uplink.topic and len(self.devices) > 1 and "{device}" not in self.uplink.topic:
            raise ValueError("uplink.topic: must hold {device}, else the Devices' values cannot be told apart")
        for device in self.devices:
            if device.detect is None and device.tags:
                self._check_judged(device)

    def detect_of(self, device: Device) -> DetectSettings | None:
        """Return how this Device is judged, None where it is not."""
        return meant(self.detect if device.detect is None else device.detect)

    def _check_judged(self, device: Device) -> None:
        try:
            check_detect(self.detect, device.tags, device.period_s)
        except ValueError as error:
            keys, _, sentence = str(error).partition(": ")
            raise ValueError(f"{keys}: {device.id}: {sentence}") from error
