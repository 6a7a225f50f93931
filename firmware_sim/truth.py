"""The truth file: what the plant really served, when, and what was wrong with it; written while serving, read by tests.

One JSON value a line, appended, flushed every 0.2 s and at the end:

    {"truth": 1, "plant": ..., "seed": ..., "started_us": ..., "machines": [{"id", "protocol", "tags": [...]}]}
    {"span": 0, "machine": 0, "tags": [0, 1], "how": "read"}    what one kind of answer holds, told before its use
    ["v", machine, row, at_us, [values]]    a row of all tags, told before the first answer that shows it
    ["a", span, at_us, row]                 an answer was handed to the socket; a fifth item "late": it was delayed
    {"fault": id, "on": true, ...}, {"mischief": id, "on": true, ...}    begin and end of what was wrong

Served means handed to the socket. An answer whose connection broke on the way, or whose reader died before it
stored the values, is in the file all the same: the counter tells unsealed readings (of a kill) from lost ones.
A second run appends a header of its own; a line torn by a kill is skipped by the reader.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from firmware_sim.clock import Clock
from firmware_sim.errors import InvalidTruth
from firmware_sim.machine import Row, Turn
from firmware_sim.tags import Value

FLUSH_S = 0.2
VERSION = 1
HEADER_START = b'{"truth":'
How = Literal["read", "push"]


class TrueTag(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tag as the header of a truth file names it."""

    name: str
    type: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0

    @property
    def is_float(self) -> bool:
        """Return whether served values are floats: of a float type, or scaled."""
        return self.type.startswith("float") or self.scale != 1.0 or self.offset != 0.0


class TrueMachine(msgspec.Struct, frozen=True):
    """A machine as the header of a truth file names it; counter: the tag that counts its rows, or an empty text."""

    id: str
    protocol: str
    tags: tuple[TrueTag, ...]
    counter: str


class Header(msgspec.Struct, frozen=True):
    """The first line of a run."""

    truth: int
    plant: str
    seed: int
    started_us: int
    machines: tuple[TrueMachine, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Values that were served together; row: which row of the machine; how: asked for (read) or published (push)."""

    at_us: int
    machine: str
    row: int
    tags: tuple[str, ...]
    values: tuple[Value, ...]
    how: How
    is_late: bool


class Window(msgspec.Struct, frozen=True):
    """Something wrong with a machine from one moment to another; end_us None: to the end of the file.

    Of a fault: kind, channel and size in sigma; of a mischief: kind alone.
    """

    machine: str
    kind: str
    onset_us: int
    end_us: int | None = None
    row: int = 0
    channel: str = ""
    channels: tuple[str, ...] = ()
    sigma: float = 0.0


class TruthWriter:
    """Writes a truth file. Rows and spans are told once, at their first use, so that an answer costs 30 bytes."""

    def __init__(self, path: Path, clock: Clock, header: Header) -> None:
        self._clock = clock
        self._file = path.open("ab")
        self._lines: list[bytes] = []
        self._spans: dict[tuple[int, tuple[int, ...], How], int] = {}
        self._told: dict[int, Row] = {}
        self._machine_of: list[int] = []
        self._index = {machine.id: index for index, machine in enumerate(header.machines)}
        if self._file.tell() and not _ends_with_newline(path):
            self._lines.append(b"\n")
        self._tell(msgspec.to_builtins(header))
        self.flush()

    def span(self, machine: str, tags: Sequence[int], how: How = "read") -> int:
        """Return the number of answers with these tags (indices of the machine's header entry)."""
        key = (self._index[machine], tuple(tags), how)
        number = self._spans.get(key)
        if number is None:
            number = self._spans[key] = len(self._machine_of)
            self._machine_of.append(key[0])
            self._tell({"span": number, "machine": key[0], "tags": key[1], "how": how})
        return number

    def served(self, span: int, row: Row, *, is_late: bool = False) -> None:
        """Note that the tags of a span went out as they are in this row."""
        machine = self._machine_of[span]
        if self._told.get(machine) is not row:
            self._told[machine] = row
            self._tell(["v", machine, row.number, row.at_us, [_plain(value) for value in row.served]])
        end = b',"late"]\n' if is_late else b"]\n"
        self._lines.append(b'["a",%d,%d,%d%s' % (span, self._clock.now_us(), row.number, end))

    def fault(self, turn: Turn) -> None:
        """Note that a fault began or ended, with the first row that shows it, or the first that does not."""
        fault = turn.fault
        note: dict[str, Any] = {"fault": fault.id, "on": turn.is_on, "at_us": turn.at_us, "row": turn.row}
        if turn.is_on:
            note |= {"machine": fault.machine, "kind": fault.kind, "channel": fault.channel, "sigma": fault.sigma}
            note["channels"] = [effect.channel for effect in fault.effects]
        self._tell(note)

    def mischief(self, number: int, *, is_on: bool, machine: str = "", kind: str = "") -> None:
        """Note that a misbehaviour began or ended."""
        note: dict[str, Any] = {"mischief": number, "on": is_on, "at_us": self._clock.now_us()}
        self._tell(note | ({"machine": machine, "kind": kind} if is_on else {}))

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if self._lines:
            self._file.write(b"".join(self._lines))
            self._lines.clear()
        self._file.flush()

    async def keep_flushing(self) -> None:
        """Flush every 0.2 s until cancelled."""
        while True:
            await self._clock.sleep(FLUSH_S)
            self.flush()

    def close(self) -> None:
        """Flush, sync to disk and close."""
        if not self._file.closed:
            self.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def _tell(self, line: object) -> None:
        self._lines.append(msgspec.json.encode(line) + b"\n")


@dataclass(slots=True)
class Truth:
    """A truth file in memory: iterate for the answers in the order they were served."""

    headers: list[Header] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    faults: list[Window] = field(default_factory=list)
    mischiefs: list[Window] = field(default_factory=list)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def series(self, machine: str, tag: str) -> list[tuple[int, Value]]:
        """Return (at_us, value) of each time that a tag was served, in order."""
        return self.by_tag().get((machine, tag), [])

    def by_tag(self) -> dict[tuple[str, str], list[tuple[int, Value]]]:
        """Return (at_us, value) of each time that each (machine, tag) was served, in order."""
        found: dict[tuple[str, str], list[tuple[int, Value]]] = {}
        for answer in self.answers:
            for tag, value in zip(answer.tags, answer.values, strict=True):
                found.setdefault((answer.machine, tag), []).append((answer.at_us, value))
        return found

    def rows(self, machine: str) -> list[int]:
        """Return the rows of a machine that were served, each once, in order."""
        return list(dict.fromkeys(answer.row for answer in self._of(machine)))

    @property
    def readings(self) -> int:
        """Return how many values were served in all, repeats included."""
        return sum(len(answer.values) for answer in self.answers)

    def _of(self, machine: str) -> Iterator[Answer]:
        return (answer for answer in self.answers if answer.machine == machine)


def read_truth(path: Path) -> Truth:
    """Return what a truth file says so far; raise InvalidTruth that names the file and the line."""
    reader = _Reader()
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InvalidTruth(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        is_torn = number == len(lines) or lines[number].startswith(HEADER_START)
        try:
            if line:
                reader.take(msgspec.json.decode(line))
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
            if not is_torn:
                raise InvalidTruth(f"{path}:{number}: not a line of a truth file: {error}") from error
    if not reader.truth.headers:
        raise InvalidTruth(f"{path}: has no header, so it is no truth file")
    return reader.truth


class _Reader:
    """Turns lines into answers; spans, rows and machines are those of the latest header."""

    def __init__(self) -> None:
        self.truth = Truth()
        self._spans: dict[int, tuple[int, tuple[int, ...], tuple[str, ...], How]] = {}
        self._rows: dict[int, tuple[int, list[Value]]] = {}
        self._open: dict[tuple[str, int], tuple[list[Window], int]] = {}

    def take(self, line: Any) -> None:  # noqa: ANN401 - one JSON value, whatever it is
        """Take over one line; raise where it is none."""
        match line:
            case ["a", span, at_us, row, *late]:
                self._answer(span, at_us, row, is_late=bool(late))
            case ["v", machine, row, _, values]:
                self._rows[machine] = (row, self._typed(machine, values))
            case {"truth": _}:
                self._header(msgspec.convert(line, Header))
            case {"span": number, "machine": machine, "tags": tags, "how": how}:
                names = tuple(self.truth.headers[-1].machines[machine].tags[tag].name for tag in tags)
                self._spans[number] = (machine, tuple(tags), names, how)
            case {"fault": number}:
                self._window("fault", number, line, self.truth.faults)
            case {"mischief": number}:
                self._window("mischief", number, line, self.truth.mischiefs)
            case _:
                raise ValueError("neither a row, an answer nor a note")

    def _header(self, header: Header) -> None:
        self.truth.headers.append(header)
        self._spans.clear()
        self._rows.clear()
        self._open.clear()

    def _answer(self, span: int, at_us: int, row: int, *, is_late: bool) -> None:
        machine, tags, names, how = self._spans[span]
        shown, values = self._rows[machine]
        if shown != row:
            raise ValueError(f"row {row} was not told before it was served")
        name = self.truth.headers[-1].machines[machine].id
        chosen = tuple(values[tag] for tag in tags)
        self.truth.answers.append(Answer(at_us, name, row, names, chosen, how, is_late))

    def _typed(self, machine: int, values: list[Value]) -> list[Value]:
        tags = self.truth.headers[-1].machines[machine].tags
        return [float(value) if tag.is_float else value for tag, value in zip(tags, values, strict=True)]

    def _window(self, what: str, number: int, line: dict[str, Any], windows: list[Window]) -> None:
        if line["on"]:
            self._open[what, number] = (windows, len(windows))
            fields = {key: line[key] for key in line.keys() & set(Window.__struct_fields__)}
            windows.append(msgspec.convert(fields | {"onset_us": line["at_us"]}, Window))
        else:
            _, index = self._open.pop((what, number))
            windows[index] = msgspec.structs.replace(windows[index], end_us=line["at_us"])


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as written:
        written.seek(-1, os.SEEK_END)
        return written.read(1) == b"\n"


def _plain(value: Value) -> Value:
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
