"""Mischief: the ways in which a server lies or fails on purpose, and which machine does so now."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class MischiefKind(StrEnum):
    """What a server does wrong."""

    SILENCE = "silence"
    DELAY = "delay"
    HALF_FRAME = "half_frame"
    WRONG_UNIT = "wrong_unit"
    OTHER_UNIT = "other_unit"
    WRONG_TRANSACTION = "wrong_transaction"
    GARBAGE = "garbage"
    ILLEGAL_ADDRESS = "illegal_address"
    DEVICE_FAILURE = "device_failure"
    BUSY = "busy"
    RESET = "reset"
    RESTART = "restart"
    CERTIFICATE = "certificate"

    @property
    def is_of_the_server(self) -> bool:
        """Return whether it happens to the whole server at once, and not to each answer of a machine."""
        return self in (MischiefKind.RESTART, MischiefKind.CERTIFICATE)


ON_OPCUA = (MischiefKind.RESET, MischiefKind.RESTART, MischiefKind.CERTIFICATE)
"""What an OPC UA server can do; the others are lies about Modbus frames."""
DEFAULT_DELAY_S = 0.5


@dataclass(frozen=True, slots=True)
class Mischief:
    """One misbehaviour of one machine; value: seconds of a delay."""

    id: int
    kind: MischiefKind
    machine: str
    value: float = 0.0

    @property
    def delay_s(self) -> float:
        """Return how late an answer is."""
        return self.value or DEFAULT_DELAY_S


Note = Callable[[Mischief, bool], None]


class Mischiefs:
    """What each machine does wrong now; of several at a time the latest counts. `note` hears of each begin and end."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._active: dict[int, Mischief] = {}
        self._latest: dict[str, Mischief] = {}
        self._ids = 0

    def of(self, machine: str) -> Mischief | None:
        """Return what this machine does wrong now."""
        return self._latest.get(machine) if self._latest else None

    @property
    def active(self) -> tuple[Mischief, ...]:
        """Return all that goes on."""
        return tuple(self._active.values())

    def start(self, kind: MischiefKind, machine: str, value: float = 0.0) -> Mischief:
        """Have the machine misbehave from now on."""
        self._ids += 1
        mischief = Mischief(self._ids, kind, machine, value)
        self._active[mischief.id] = self._latest[machine] = mischief
        self._note(mischief, True)  # noqa: FBT003 - began
        return mischief

    def stop(self, number: int) -> None:
        """End one; nothing happens where it had ended before."""
        mischief = self._active.pop(number, None)
        if mischief is None:
            return
        left = [other for other in self._active.values() if other.machine == mischief.machine]
        if left:
            self._latest[mischief.machine] = left[-1]
        else:
            self._latest.pop(mischief.machine, None)
        self._note(mischief, False)  # noqa: FBT003 - ended
