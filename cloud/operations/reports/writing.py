"""Writing: a report from what is asked for to bytes in one of four formats."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloud.domain.report import Cell, Findings, Report, ReportFormat, ReportRequest, ReportType
from cloud.domain.spreadsheet import harmless
from cloud.operations.reports.anomalies import anomaly_summary
from cloud.operations.reports.facts import Facts, Plant
from cloud.operations.reports.health import system_health
from cloud.operations.reports.maintenance import maintenance_summary
from cloud.operations.reports.performance import performance_summary
from cloud.records.settings import text_of

FINDERS: Mapping[ReportType, Callable[[Facts], Findings]] = {
    ReportType.ANOMALY_SUMMARY: anomaly_summary,
    ReportType.SYSTEM_HEALTH: system_health,
    ReportType.MAINTENANCE_SUMMARY: maintenance_summary,
    ReportType.PERFORMANCE_SUMMARY: performance_summary,
}


def make_report(session: Session, request: ReportRequest, plant: Plant, *, identity: str, now: datetime) -> Report:
    """Return what a report says, with its charts where they are asked for."""
    findings = FINDERS[request.report_type](Facts.seen(session, request, plant, now))
    charts = _drawn(findings) if request.has_charts else {}
    return Report(identity, request, findings, now, text_of(session, "general.appName"), charts)


def _drawn(findings: Findings) -> Mapping[str, bytes]:
    from cloud.operations.reports.charts import draw_charts  # noqa: PLC0415 - takes a second to load

    return draw_charts(findings.charts)


def write_report(report: Report, name: str) -> bytes:
    """Return the report in the format that is asked for; name: its id as it is shown."""
    match report.request.format:
        case ReportFormat.JSON:
            return write_json(report, name)
        case ReportFormat.CSV:
            return write_csv(report)
        case ReportFormat.HTML:
            return _page(report, name)
        case ReportFormat.PDF:
            return _print(report, name)


def _page(report: Report, name: str) -> bytes:
    from cloud.operations.reports.page import write_page  # noqa: PLC0415 - only pages need its library

    return write_page(report, name).encode()


def _print(report: Report, name: str) -> bytes:
    from cloud.operations.reports.charts import font_path  # noqa: PLC0415 - see below
    from cloud.operations.reports.print import write_pdf  # noqa: PLC0415 - takes a second to load

    return write_pdf(report, name, font_path())


def write_json(report: Report, name: str) -> bytes:
    """Return figures by name, and each table as a list of rows by column."""
    findings = report.findings
    document = {
        "report_id": name,
        "report_type": report.request.report_type.value,
        "title": report.title,
        "date_range": report.request.date_range,
        "generated_at": report.generated_at.isoformat(),
        "figures": {one.name: _finite(one.value) for one in findings.figures},
        "units": {one.name: one.unit for one in findings.figures if one.unit},
        "tables": {one.name: [_row(one.columns, row) for row in one.rows] for one in findings.tables},
        "notes": {one.name: one.note for one in findings.tables if one.note},
    }
    return msgspec.json.encode(document)


def write_csv(report: Report) -> bytes:
    """Return figures and tables one below the other, an empty line between; nothing in it is run as a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("report", report.request.report_type.value, report.request.date_range))
    writer.writerow(())
    writer.writerow(("figure", "value", "unit"))
    writer.writerows(_safe((one.name, one.value, one.unit)) for one in report.findings.figures)
    for table in report.findings.tables:
        writer.writerow(())
        writer.writerow(("table", table.name))
        writer.writerow(table.columns)
        writer.writerows(map(_safe, table.rows))
    return text.getvalue().encode()


def _row(columns: tuple[str, ...], row: tuple[Cell, ...]) -> dict[str, Cell]:
    return dict(zip(columns, map(_finite, row), strict=True))


def _finite(value: Cell) -> Cell:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _safe(cells: Iterable[Cell]) -> list[Cell]:
    return [harmless(one) if isinstance(one, str) else _finite(one) for one in cells]
