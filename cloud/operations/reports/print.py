"""A report as PDF, through fpdf2, which nothing else here imports."""

from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from cloud.domain.report import Report, Table
from cloud.operations.reports.page import cell_text, words

_FAMILY = "report"
_MOST_ROWS = 200
"""A print of more is of no use to anybody; the CSV has them all."""
_LINE_MM = 5.0
_MARGIN_MM = 15.0


def write_pdf(report: Report, name: str, font: Path) -> bytes:
    """Return the document; name: the report's id as it is shown, font: a TrueType file with the letters needed."""
    pdf = FPDF(format="A4")
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    pdf.set_creation_date(report.generated_at)
    pdf.set_title(report.title)
    pdf.add_font(_FAMILY, fname=font)
    pdf.add_page()
    _say(pdf, report.title, size=16)
    _say(pdf, f"{report.request.date_range}, made {report.generated_at:%Y-%m-%d %H:%M} UTC, report {name}", size=8)
    _draw_table(pdf, _figures(report))
    for picture in report.charts.values():
        pdf.image(BytesIO(picture), w=pdf.epw)
    for table in report.findings.tables:
        _say(pdf, words(table.name), size=12)
        _draw_table(pdf, table)
    return bytes(pdf.output())


def _figures(report: Report) -> Table:
    rows = tuple((words(one.name), f"{cell_text(one.value)} {one.unit}".strip()) for one in report.findings.figures)
    return Table("figures", ("figure", "value"), rows)


def _say(pdf: FPDF, text: str, *, size: int) -> None:
    pdf.set_font(_FAMILY, size=size)
    pdf.ln(2)
    pdf.multi_cell(0, _LINE_MM * size / 10, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _draw_table(pdf: FPDF, table: Table) -> None:
    if table.note:
        _say(pdf, table.note, size=8)
    if not table.rows:
        _say(pdf, "none", size=8)
        return
    pdf.set_font(_FAMILY, size=7 if len(table.columns) > 4 else 9)
    rows = [[cell_text(value) for value in row] for row in table.rows[:_MOST_ROWS]]
    with pdf.table(first_row_as_headings=False, line_height=_LINE_MM, borders_layout="HORIZONTAL_LINES") as drawn:
        for cells in ([words(column) for column in table.columns], *rows):
            row = drawn.row()
            for text in cells:
                row.cell(text)
    if len(table.rows) > _MOST_ROWS:
        _say(pdf, f"and {len(table.rows) - _MOST_ROWS} more, in the CSV of this report", size=8)
