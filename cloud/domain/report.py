"""Report: what is asked for, and what a report says before it is written in any format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cloud.errors import Invalid

MOST_CHARTS = 6
CHART_PIXELS = (900, 400)
LONGEST = timedelta(days=3660)
TOP = 10
Cell = str | int | float | bool | None


class ReportType(StrEnum):
    """What a report is about."""

    ANOMALY_SUMMARY = "anomaly_summary"
    SYSTEM_HEALTH = "system_health"
    MAINTENANCE_SUMMARY = "maintenance_summary"
    PERFORMANCE_SUMMARY = "performance_summary"


class ReportFormat(StrEnum):
    """How it is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


MEDIA_TYPES: Mapping[ReportFormat, str] = {
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.HTML: "text/html; charset=utf-8",
    ReportFormat.PDF: "application/pdf",
}
TITLES: Mapping[ReportType, str] = {
    ReportType.ANOMALY_SUMMARY: "Anomaly summary",
    ReportType.SYSTEM_HEALTH: "System health",
    ReportType.MAINTENANCE_SUMMARY: "Maintenance summary",
    ReportType.PERFORMANCE_SUMMARY: "Performance summary",
}
_FILE_NAMES: Mapping[ReportType, str] = {ReportType.SYSTEM_HEALTH: "health_report"}


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """start <= time < end; top: how many lines a ranking has; mailed: to whom the notifications' address belongs."""

    report_type: ReportType
    format: ReportFormat
    start: datetime
    end: datetime
    has_charts: bool = False
    device: str = ""
    gateway: str = ""
    top: int = TOP
    is_mailed: bool = False
    requests: tuple[Mapping[str, Cell], ...] = ()
    """What the API process that was asked knows of its own requests, by route."""

    def check(self) -> "ReportRequest":
        """Return the request; raise Invalid, which names the field, for a time that cannot be."""
        if self.end <= self.start:
            raise _invalid("time_range_end", "must be after time_range_start")
        if self.end - self.start > LONGEST:
            raise _invalid("time_range_end", f"at most {LONGEST.days} days after time_range_start")
        return self

    @property
    def date_range(self) -> str:
        """Return the days, as the documents write them."""
        return f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"

    def file_name(self, identity: str, at: datetime) -> str:
        """Return the name under which people fetch it."""
        name = _FILE_NAMES.get(self.report_type, self.report_type.value)
        return f"{name}_{at:%Y%m%dT%H%M%SZ}_{identity}.{self.format}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number or word with its name; None: not measured."""

    name: str
    value: Cell
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading; note: what a reader has to know of it."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture: bars over labels, or a line over times; gaps are None."""

    name: str
    title: str
    labels: tuple[str, ...]
    values: tuple[float | None, ...]
    unit: str = ""
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a report says."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report before it is written; id: without its prefix."""

    id: str
    request: ReportRequest
    findings: Findings
    generated_at: datetime
    plant: str = "Lineside"
    charts: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return what stands at the top."""
        return f"{self.plant}: {TITLES[self.request.report_type]}"


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_TIME_RANGE", details={"field": name, "issue": issue})
