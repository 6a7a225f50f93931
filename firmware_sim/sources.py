"""Where a machine's quantities come from: physics of a kind of machine, or a recording."""

from collections.abc import Mapping
from random import Random
from typing import Protocol

from firmware_sim.recording import Recording
from firmware_sim.signals import Channel, Load, Response
from firmware_sim.tags import Value
from protocols.tag import DataType

SEQUENCE = "sequence"
ROW = "row"
RUNNING_ABOVE = 0.1


def _channels(*channels: Channel) -> Mapping[str, Channel]:
    return {channel.name: channel for channel in channels}


KINDS: Mapping[str, Mapping[str, Channel]] = {
    "pump": _channels(
        Channel("flow", "l/min", 0.8, 15, 100, lag_s=0.6),
        Channel("pressure", "bar", 0.05, 1.2, 4.5, lag_s=0.4, exponent=2),
        Channel("current", "A", 0.12, 3.5, 9, lag_s=0.2),
        Channel("vibration", "mm/s", 0.08, 0.8, 1.9, lag_s=0.1),
        Channel("temperature", "degC", 0.15, 31, 30, lag_s=15, exponent=2),
        Channel("speed", "rpm", 4, 850, 640, lag_s=0.5),
    ),
    "motor": _channels(
        Channel("current", "A", 0.2, 5, 22, lag_s=0.2),
        Channel("torque", "Nm", 0.6, 4, 88, lag_s=0.2),
        Channel("speed", "rpm", 3, 1498, -52, lag_s=0.5),
        Channel("vibration", "mm/s", 0.07, 0.6, 1.5, lag_s=0.1),
        Channel("temperature", "degC", 0.2, 35, 48, lag_s=20, exponent=2),
        Channel("power", "kW", 0.15, 0.9, 13.5, lag_s=0.2),
    ),
    "conveyor": _channels(
        Channel("speed", "m/s", 0.008, 1.25, -0.12, lag_s=0.8),
        Channel("mass", "kg", 1.5, 6, 240, lag_s=1.5),
        Channel("current", "A", 0.1, 2.2, 6, lag_s=0.8),
        Channel("tension", "N", 9, 800, 950, lag_s=0.8),
        Channel("vibration", "mm/s", 0.09, 1.1, 1.2, lag_s=0.2),
        Channel("temperature", "degC", 0.15, 28, 22, lag_s=18),
    ),
    "oven": _channels(
        Channel("temperature", "degC", 0.5, 165, 60, lag_s=10),
        Channel("power", "kW", 0.3, 6, 42, lag_s=0.5),
        Channel("humidity", "%", 0.4, 46, -28, lag_s=12),
        Channel("pressure", "Pa", 0.6, 12, 26, lag_s=1),
        Channel("current", "A", 0.25, 9, 58, lag_s=0.5),
        Channel("exhaust", "degC", 0.6, 92, 55, lag_s=6),
    ),
    "compressor": _channels(
        Channel("pressure", "bar", 0.04, 5.6, 2.2, lag_s=1.2),
        Channel("flow", "m3/h", 1.2, 30, 190, lag_s=0.6),
        Channel("current", "A", 0.3, 11, 44, lag_s=0.2),
        Channel("vibration", "mm/s", 0.1, 1.2, 2.6, lag_s=0.1),
        Channel("temperature", "degC", 0.25, 58, 31, lag_s=16, exponent=2),
        Channel("speed", "rpm", 6, 1450, 1480, lag_s=0.6),
    ),
}
"""What each kind of machine shows; temperatures lag by minutes in reality and by seconds here, to be seen in a demo."""
EXTRAS: Mapping[str, DataType] = {
    SEQUENCE: DataType.UINT32,
    "running": DataType.BOOL,
    "state": DataType.TEXT,
    "energy": DataType.UINT64,
}
"""What every kind of machine shows besides: the count of its ticks, whether it runs, a word for it, and a counter."""


class Source(Protocol):
    """Where a machine's quantities come from. Owes: the same rows for the same seed or file, whatever the time."""

    counter: str
    """The channel that counts the rows."""
    channels: Mapping[str, Channel]
    """The quantities, in order."""
    period_s: float
    """The usual time from row to row."""

    def next(self) -> Mapping[str, Value] | None:
        """Return the next row, counter included, or None after the last."""

    def interval_s(self) -> float:
        """Return how long the latest row is to be shown."""


class Simulation:
    """Physics: a load that wanders, and channels that answer to it."""

    counter: str = SEQUENCE

    def __init__(self, kind: str, *, seed: str, period_s: float) -> None:
        self.channels: Mapping[str, Channel] = KINDS[kind]
        self.period_s = period_s
        self._load = Load(Random(f"{seed}/load"), period_s)  # noqa: S311 - physics, not secrets
        self._responses = {
            name: Response(channel, Random(f"{seed}/{name}"), period_s)  # noqa: S311 - physics, not secrets
            for name, channel in self.channels.items()
        }
        self._tick = 0
        self._energy = 0.0

    def next(self) -> Mapping[str, Value]:
        """Return the quantities one period later."""
        load = self._load.next()
        self._tick += 1
        self._energy += 1000 * load * self.period_s
        row: dict[str, Value] = {name: response.next(load) for name, response in self._responses.items()}
        is_running = load > RUNNING_ABOVE
        row |= {"running": is_running, "state": "RUN" if is_running else "IDLE", "energy": int(self._energy)}
        row[SEQUENCE] = self._tick
        return row

    def interval_s(self) -> float:
        """Return the period."""
        return self.period_s


class Replay:
    """The rows of a recording, numbered from 1, each for as long as the recording says, divided by the speed."""

    counter: str = ROW

    def __init__(self, recording: Recording, *, speed: float) -> None:
        self._recording = recording
        self._speed = speed
        self.period_s = recording.interval_s[-1] / speed
        self._next = 0
        self.channels: Mapping[str, Channel] = {
            name: Channel(name, "", sigma) for name, sigma in zip(recording.channels, recording.sigmas, strict=True)
        }

    def next(self) -> Mapping[str, Value] | None:
        """Return the next row with its number, or None after the last."""
        if self._next >= len(self._recording.rows):
            return None
        values = self._recording.rows[self._next]
        self._next += 1
        row: dict[str, Value] = {ROW: self._next}
        return row | dict(zip(self.channels, values, strict=True))

    def interval_s(self) -> float:
        """Return how long the latest row is shown."""
        return self._recording.interval_s[self._next - 1] / self._speed
