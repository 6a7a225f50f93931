"""Where readings come from, and how long they are kept."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cloud.sections.base import Days, Port, Secret, Section


class TlsSettings(Section):
    """How the broker proves who it is and, optionally, how we do."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class MqttSettings(Section):
    """The broker between the gateways and the ingest process."""

    host: str = "127.0.0.1"
    port: Port = 1883
    transport: Literal["tcp", "websockets"] = "tcp"
    protocol: Literal["5", "3.1.1"] = "5"
    username: str = ""
    password: Secret = ""
    tls: TlsSettings | None = None
    share: str = "ingest"
    """The group of ingest processes that divide the batches among them."""


class RetentionSettings(Section):
    """How long raw readings of some series are kept; `*` in a pattern stands for any text, null days for ever."""

    gateway: str = "*"
    device: str = "*"
    tag: str = "*"
    days: Days | None


class StoreSettings(Section):
    """The reading store: what it keeps, and how much room it leaves on the disk."""

    retention_days: Days | None = None
    """How long raw readings are kept; null for ever. Hourly rollups stay."""
    retention: tuple[RetentionSettings, ...] = ()
    """Rules for some series; the first that fits one counts, `retention_days` where none does."""
    minimum_free: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Below this share of free disk nothing is taken any more; it is said, and alarmed."""
    max_size_mib: Annotated[int, Field(ge=1)] | None = None


class IngestSettings(Section):
    """What is taken from those who send by HTTP or plain JSON."""

    max_future_s: Annotated[float, Field(ge=0)] = 300.0
    """How far a reading's time may lie ahead of the cloud's clock."""
