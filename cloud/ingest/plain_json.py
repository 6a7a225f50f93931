"""PlainJson: JSON messages of any device -> readings; a name keeps the kind of its first value, for ever.

A value of another kind is turned into the series' kind where that loses nothing, else it is counted with its device and
field, and shown. What is wrong with one value or message never touches the others.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Arrival, ReadingStore
from protocols.errors import InvalidTelemetry
from protocols.plain_json import decode, to_block
from protocols.reading import Column, Kind, Quality, ReadingBlock, join
from protocols.tag import DeviceInfo, TagInfo, TagTable

_KEPT_DEVICES = 1024
_INDEX = re.compile(r"^\[\d+\]\.?")
_NUMBERS = (Kind.FLOAT, Kind.INT, Kind.UINT)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a part of a message, and where in it."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Understood:
    """The readings of a message, if there are any, and what was wrong with the rest."""

    arrival: Arrival | None
    problems: tuple[Problem, ...]


class PlainJson:
    """Knows the kind of every series of devices that send by themselves. One thread."""

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._kinds: OrderedDict[str, dict[str, Kind]] = OrderedDict()

    def understand(self, device: str, payload: bytes, *, now_us: int) -> Understood:
        """Return what the message of this device holds; never raises for what is in it."""
        try:
            telemetry = decode(payload, arrived_us=now_us)
        except InvalidTelemetry as error:
            return Understood(None, (_problem(error),))
        problems = [_problem(error) for error in telemetry.errors]
        names, block = to_block(telemetry.messages)
        kinds = self._kinds_of(device)
        _learn(kinds, names, block)
        fitted = _fitted(names, block, kinds, problems)
        if not len(fitted):
            return Understood(None, tuple(problems))
        tags = tuple(TagInfo(0, name, kinds.get(name, Kind.FLOAT)) for name in names)
        table = TagTable((DeviceInfo(device),), tags)
        return Understood(Arrival("", table, fitted, received_us=now_us), tuple(problems))

    def forget(self) -> None:
        """Forget the kinds of series that a rolled-back transaction may have made up."""
        self._kinds.clear()

    def _kinds_of(self, device: str) -> dict[str, Kind]:
        kinds = self._kinds.get(device)
        if kinds is None:
            kinds = {}
            for series in self._store.series(source="", device=device):
                kinds.setdefault(series.key.tag, series.kind)
            self._kinds[device] = kinds
            while len(self._kinds) > _KEPT_DEVICES:
                self._kinds.popitem(last=False)
        self._kinds.move_to_end(device)
        return kinds


def _problem(error: InvalidTelemetry) -> Problem:
    text = _INDEX.sub("", str(error))
    return Problem(text.partition(":")[0], text)


def _learn(kinds: dict[str, Kind], names: tuple[str, ...], block: ReadingBlock) -> None:
    for column in block.columns:
        for tag in np.unique(column.tag[~_is_missing(column)]).tolist():
            kinds.setdefault(names[tag], column.kind)


def _fitted(
    names: tuple[str, ...], block: ReadingBlock, kinds: dict[str, Kind], problems: list[Problem]
) -> ReadingBlock:
    """Return the readings in the columns that their series have; the others are added to the problems."""
    unknown = len(Kind)
    wanted = np.array([kinds.get(name, unknown) for name in names], dtype=np.uint8)
    parts: list[ReadingBlock] = []
    for column in block.columns:
        targets = wanted[column.tag]
        for target in np.unique(targets).tolist():
            part = column.take(targets == target)
            if target == unknown:
                problems.extend(_refused(names, part, "no value yet"))
                continue
            turned, lost = _turned(part, Kind(target))
            problems.extend(
                _refused(names, lost, f"of kind {column.kind.name.lower()}; the series is {Kind(target).name.lower()}")
            )
            texts = block.texts or ("",)
            parts.append(ReadingBlock((turned,), texts))
    return join(parts)


def _refused(names: tuple[str, ...], lost: Column, why: str) -> list[Problem]:
    tags = np.unique(lost.tag).tolist()
    return [Problem(f"values.{names[tag]}", f"values.{names[tag]}: {why}") for tag in tags]


def _is_missing(column: Column) -> NDArray[np.bool_]:
    if column.kind is not Kind.FLOAT:
        return np.zeros(len(column), dtype=np.bool_)
    missing: NDArray[np.bool_] = np.isnan(column.value) & (column.quality >= Quality.BAD)
    return missing


def _turned(column: Column, target: Kind) -> tuple[Column, Column]:
    """Return the readings as this kind, and those that cannot be of it."""
    if column.kind is target:
        return column, column.take(np.zeros(len(column), dtype=np.bool_))
    missing = _is_missing(column)
    fits = missing | _fits(column, target)
    kept = column.take(fits)
    value = np.where(missing[fits], 0, kept.value).astype(target.dtype)
    return Column(target, kept.tag, kept.time_us, value, kept.quality), column.take(~fits)


def _fits(column: Column, target: Kind) -> NDArray[np.bool_]:
    if column.kind not in _NUMBERS or target not in _NUMBERS:
        return np.zeros(len(column), dtype=np.bool_)
    if target is Kind.FLOAT:
        return np.ones(len(column), dtype=np.bool_)
    limits = np.iinfo(target.dtype)
    whole: NDArray[np.bool_] = np.array(
        [limits.min <= one <= limits.max and one == int(one) for one in column.value.tolist()], dtype=np.bool_
    )
    return whole
