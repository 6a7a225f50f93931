"""ExportRequest: which readings leave as a file, and in which format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.errors import Invalid
from cloud.ports import SeriesKey

MOST_FILTERS = 1000


class ExportFormat(StrEnum):
    """How readings are written."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


MEDIA_TYPES: Mapping[ExportFormat, str] = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """start_us <= time < end_us of these devices (source, device) and tags; empty: of all."""

    format: ExportFormat
    start_us: int
    end_us: int
    devices: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()

    def check(self) -> "ExportRequest":
        """Return the request; raise Invalid, which names the field, for a time that cannot be."""
        if self.end_us <= self.start_us:
            details: dict[str, object] = {"field": "to", "issue": "must be after from"}
            raise Invalid("to: must be after from", code="INVALID_TIME_RANGE", details=details)
        return self

    def wants(self, key: SeriesKey) -> bool:
        """Return whether a series is in it."""
        is_of_device = not self.devices or (key.source, key.device) in self.devices
        return is_of_device and (not self.tags or key.tag in self.tags)

    def file_name(self, identity: str, at: datetime) -> str:
        """Return the name under which people fetch it."""
        return f"export_{at:%Y%m%dT%H%M%SZ}_{identity}.{self.format}"
