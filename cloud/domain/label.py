"""Label: what an operator said of a span of one Device's time, true fault or false alarm; and labels read from CSV."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.domain.times import to_text, to_us
from cloud.errors import CloudError, Invalid, NotFound

MAX_ROWS = 10_000
MAX_KIND = 64
MAX_NOTE = 1000
COLUMNS = ("device_id", "from", "to", "verdict", "kind", "note")
_NEEDED = COLUMNS[:4]
Resolve = Callable[[str], tuple[str, str]]
"""From the shown id of a Device to its source and its own id; raises NotFound."""


class Verdict(StrEnum):
    """What it was."""

    TRUE_FAULT = "true_fault"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True)
class Label:
    """from_us <= time < to_us of a Device of a source; kind: of fault, in the operator's words; id 0: not kept yet."""

    id: int
    source: str
    device: str
    from_us: int
    to_us: int
    verdict: Verdict
    by: str
    at: datetime
    kind: str = ""
    note: str = ""
    alarm_id: str | None = None

    def check(self) -> "Label":
        """Return the label; raise Invalid, which names the field, where it cannot be one."""
        if self.from_us >= self.to_us:
            raise _invalid("to", f"must be after from, {to_text(self.from_us)}, and is {to_text(self.to_us)}")
        for name, text, longest in (("kind", self.kind, MAX_KIND), ("note", self.note, MAX_NOTE)):
            if len(text) > longest:
                raise _invalid(name, f"has {len(text)} characters, {longest} are allowed")
        return self

    def contradicts(self, other: "Label") -> bool:
        """Return whether both speak of the same time of the same Device and say different things."""
        is_same_device = (self.source, self.device) == (other.source, other.device)
        overlap = self.from_us < other.to_us and other.from_us < self.to_us
        return is_same_device and overlap and self.verdict is not other.verdict

    def says_the_same(self, other: "Label") -> bool:
        """Return whether the other one adds nothing."""
        return self.said == other.said

    @property
    def said(self) -> tuple[object, ...]:
        """Return what is said of when, without who said it."""
        return self.source, self.device, self.from_us, self.to_us, self.verdict, self.kind


def read_labels(text: str, resolve: Resolve, *, by: str, at: datetime) -> Iterator[tuple[int, Label]]:
    """Yield each label of a CSV text with the number of its row, the header being row 1.

    Raises Invalid that names row and field; times are ISO 8601 with their offset from UTC.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header)
        for number, cells in enumerate(rows, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if number > MAX_ROWS + 1:
                raise Invalid(f"row {number}: at most {MAX_ROWS} labels at once", code="TOO_MANY_LABELS")
            yield number, _read_row(number, header, cells, resolve, by=by, at=at)
    except csv.Error as error:
        raise Invalid(f"row {rows.line_num}: not CSV: {error}", code="INVALID_LABEL") from error


def at_row(number: int, error: CloudError) -> Invalid:
    """Return the error as one of this row."""
    return Invalid(
        f"row {number}: {error}", code=error.code or "INVALID_LABEL", details={**error.details, "row": number}
    )


def _check_header(header: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        problem = f"without {', '.join(missing)}" if missing else f"with {', '.join(unknown) or 'a name twice'}"
        raise Invalid(f"row 1: a header {problem}; the columns are {', '.join(COLUMNS)}", code="INVALID_LABEL")


def _read_row(number: int, header: list[str], cells: list[str], resolve: Resolve, *, by: str, at: datetime) -> Label:
    try:
        if len(cells) != len(header):
            raise _invalid("row", f"has {len(cells)} cells, the header has {len(header)}")
        return _label(dict(zip(header, (cell.strip() for cell in cells), strict=True)), resolve, by=by, at=at)
    except (Invalid, NotFound) as error:
        raise at_row(number, error) from error


def _label(cells: Mapping[str, str], resolve: Resolve, *, by: str, at: datetime) -> Label:
    source, device = resolve(cells["device_id"])
    return Label(
        id=0,
        source=source,
        device=device,
        from_us=_time("from", cells["from"]),
        to_us=_time("to", cells["to"]),
        verdict=_verdict(cells["verdict"]),
        by=by,
        at=at,
        kind=cells.get("kind", ""),
        note=cells.get("note", ""),
    ).check()


def _time(field: str, text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _invalid(field, f"{text[:40]!r} is no ISO 8601 time") from error
    if found.tzinfo is None:
        raise _invalid(field, f"{text[:40]!r} has no offset from UTC, such as Z")
    return to_us(found)


def _verdict(text: str) -> Verdict:
    try:
        return Verdict(text)
    except ValueError as error:
        raise _invalid("verdict", f"{text[:40]!r} is none of {', '.join(Verdict)}") from error


def _invalid(field: str, issue: str) -> Invalid:
    return Invalid(f"{field}: {issue}", code="INVALID_LABEL", details={"field": field, "issue": issue})
