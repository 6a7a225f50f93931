"""The replay driver: a recording played by the clock as if it were a Device."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from edge_agent.config.devices import ReplayDevice, ReplayTag
from edge_agent.drivers.recording import Recording, read_columns, read_recording
from edge_agent.errors import DeviceError, DeviceLost
from edge_agent.ports import Clock, Deliver
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.scaling import ratio


def tags_of_recording(device: ReplayDevice) -> tuple[ReplayTag, ...]:
    """Return the Tags that the configuration names, or one for each numeric column; raise DeviceLost."""
    return device.tags or tuple(ReplayTag(name=name) for name in read_columns(device.file))


class ReplayDriver:
    """One recording; row k holds from k / rows_per_s / speed seconds after the first opening."""

    def __init__(self, device: ReplayDevice, *, first_tag: int, clock: Clock) -> None:
        self._device = device
        self._first_tag = first_tag
        self._clock = clock
        self._recording: Recording | None = None
        self._tags: tuple[ReplayTag, ...] = ()
        self._started_s = 0.0

    async def open(self) -> None:
        """Load the recording once; raise DeviceLost where it cannot be read."""
        if self._recording is None:
            self._tags = await asyncio.to_thread(tags_of_recording, self._device)
            self._recording = await asyncio.to_thread(read_recording, self._device.file)
            self._started_s = self._clock.monotonic_s()

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Return the row that holds now; a finished recording keeps its last row, stale."""
        recording = self._recording
        if recording is None:
            raise DeviceLost(f"the recording {self._device.file} is not open")
        row, quality = self._row(len(recording.values))
        by_kind: dict[Kind, list[int]] = {}
        for tag in tags:
            by_kind.setdefault(self._tags[tag - self._first_tag].kind, []).append(tag)
        now_us = self._clock.now_us()
        columns = (self._column(kind, of_kind, recording, row, quality, now_us) for kind, of_kind in by_kind.items())
        texts = ("",) if Kind.TEXT in by_kind else ()
        return ReadingBlock(tuple(sorted(columns, key=lambda column: column.kind)), texts)

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Return all tags: a recording is polled."""
        del deliver
        return tags

    async def write(self, tag: int, value: float | str) -> None:
        """Refuse: the past cannot be changed."""
        name = self._tags[tag - self._first_tag].name if self._tags else str(tag)
        raise DeviceError(f"{name!r} of {self._device.id} cannot be set to {value!r}: it is a recording")

    async def close(self) -> None:
        """Forget the recording."""
        self._recording = None

    def _row(self, n_rows: int) -> tuple[int, Quality]:
        elapsed_s = self._clock.monotonic_s() - self._started_s
        row = int(elapsed_s * self._device.rows_per_s * self._device.speed)
        if row < n_rows:
            return row, Quality.GOOD
        return (row % n_rows, Quality.GOOD) if self._device.repeat else (n_rows - 1, Quality.STALE)

    def _column(
        self, kind: Kind, tags: list[int], recording: Recording, row: int, quality: Quality, now_us: int
    ) -> Column:
        values, qualities = zip(*(self._cell(tag, recording, row, quality) for tag in tags), strict=True)
        return Column(
            kind,
            np.array(tags, np.uint32),
            np.full(len(tags), now_us, np.int64),
            _cast(np.array(values), kind),
            np.array(qualities, np.uint8),
        )

    def _cell(self, tag: int, recording: Recording, row: int, quality: Quality) -> tuple[float, Quality]:
        settings = self._tags[tag - self._first_tag]
        column = settings.column or settings.name
        if column not in recording.columns or settings.kind is Kind.TEXT:
            return float("nan"), Quality.CONFIGURATION_ERROR
        raw = float(recording.values[row, recording.columns.index(column)])
        value = ratio(settings.scale, settings.offset).value(raw)
        return value, quality if np.isfinite(raw) else Quality.NOT_A_NUMBER


def _cast(values: NDArray[np.float64], kind: Kind) -> NDArray[np.generic]:
    if kind is Kind.FLOAT:
        return values
    return np.rint(np.nan_to_num(values)).astype(kind.dtype)
