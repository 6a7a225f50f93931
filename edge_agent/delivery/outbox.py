"""Outbox: what to send, what to send again, what to forget; pure: no clock, no I/O, randomness is passed in.

Invariants: I6 in flight <= window; I3 only an ack forgets a batch, a PUBACK never does; nothing is sent between a
connect and the answer to its hello, or 10 s. A batch whose timer has run out is not in flight any more: the
buffer offers it again in its turn, and the outbox remembers how often it went out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from edge_agent.buffers.marks import clip, covers
from edge_agent.ports import BufferStanding
from protocols.batch import Key
from protocols.delivery import MAX_RANGES, Ack, EpochMarks

WINDOW = 8
HELLO_S = 10.0
SHORTEST_S = 5.0
LONGEST_S = 60.0
PATIENCE_S = 300.0
_JITTER = 0.2
_SMOOTHING = 0.125
_NEWEST_EVERY = 4
_REMEMBERED = 1024


class Meaning(Enum):
    """What an ack means beside its marks."""

    NEWS = "news"
    VOID = "void"
    WENT_BACK = "went back"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask the buffer for: at most `limit` batches, `newest` of them from the new end."""

    limit: int
    newest: int
    skip: frozenset[Key]


@dataclass(frozen=True, slots=True)
class _Sent:
    at_s: float
    due_s: float
    attempt: int


class Outbox:
    """The state of one gateway's sending; times are seconds of the monotonic clock; random: 0 <= x < 1."""

    def __init__(self, *, random: Callable[[], float], window: int = WINDOW) -> None:
        self._random = random
        self._largest = window
        self._window = window
        self._flying: dict[Key, _Sent] = {}
        self._attempts: dict[Key, int] = {}
        self._round_trip_s: float | None = None
        self._gate_opens_s: float | None = None
        self._hello: tuple[int, BufferStanding] | None = None
        self._is_unheard = False
        self._turn = 0
        self.resent = 0

    @property
    def in_flight(self) -> frozenset[Key]:
        """Return the keys that were sent and neither settled nor given up on."""
        return frozenset(self._flying)

    @property
    def window(self) -> int:
        """Return how many may be in flight now."""
        return self._window

    @property
    def awaits_answer(self) -> bool:
        """Return whether the hello of this connection was not answered yet."""
        return self._hello is not None

    def connected(self, nonce: int, standing: BufferStanding, now_s: float) -> None:
        """Begin a connection with a hello that tells of this standing; what was in flight is lost or will be acked."""
        self._flying.clear()
        self._attempts.clear()
        self._window = self._largest
        self._hello = (nonce, standing)
        self._is_unheard = True
        self._gate_opens_s = now_s + HELLO_S

    def asks(self, nonce: int, standing: BufferStanding) -> None:
        """Note a hello on a connection that stands; sending goes on while its answer is awaited."""
        self._hello = (nonce, standing)

    def wants(self, now_s: float) -> Wanted | None:
        """Return what may be sent now, or None."""
        room = self._window - len(self._flying)
        if room <= 0 or self._gate_opens_s is None or now_s < self._gate_opens_s:
            return None
        newest = sum((self._turn + at) % _NEWEST_EVERY == _NEWEST_EVERY - 1 for at in range(room))
        return Wanted(room, newest, self.in_flight)

    def sent(self, keys: Iterable[Key], now_s: float) -> None:
        """Note that these batches went out."""
        for key in keys:
            attempt = self._attempts.pop(key, 0) + 1
            self.resent += attempt > 1
            self._flying[key] = _Sent(now_s, now_s + self._patience_s(attempt), attempt)
            self._turn += 1

    def take(self, ack: Ack, now_s: float, *, generation: int) -> Meaning:
        """Forget what the ack settles and return what it means; generation: the highest that the buffer knows."""
        if ack.generation < generation:
            return Meaning.VOID
        went_back = self._answers(ack)
        self._settle(ack, now_s)
        if self._hello is None and self._is_unheard:
            self._send_what_nobody_heard()
        if ack.slow:
            self._window = max(1, self._window // 2)
        return Meaning.WENT_BACK if went_back else Meaning.NEWS

    def forget(self) -> None:
        """Consider nothing in flight: every batch was un-acked and will be offered again in its turn."""
        self._flying.clear()
        self._attempts.clear()

    def expire(self, now_s: float) -> Sequence[Key]:
        """Give up waiting for batches whose timer ran out; halve the window where there are any. Return them."""
        late = [key for key, sent in self._flying.items() if sent.due_s <= now_s]
        for key in late:
            self._attempts[key] = self._flying.pop(key).attempt
        while len(self._attempts) > _REMEMBERED:
            del self._attempts[next(iter(self._attempts))]
        if late:
            self._window = max(1, self._window // 2)
        return late

    def wakes_at_s(self, now_s: float) -> float | None:
        """Return when something becomes due by time alone, or None."""
        times = [sent.due_s for sent in self._flying.values()]
        if self._gate_opens_s is not None and self._gate_opens_s > now_s:
            times.append(self._gate_opens_s)
        return min(times, default=None)

    def _answers(self, ack: Ack) -> bool:
        """Open the gate where the ack answers the own hello; return whether it covers less than that hello knew of."""
        if self._hello is None or ack.nonce != self._hello[0]:
            return False
        (_, standing), self._hello = self._hello, None
        self._gate_opens_s = float("-inf")
        if ack.generation != standing.generation:
            return False
        told = {marks.epoch: marks for marks in ack.epochs}
        asked = {span.epoch for span in standing.epochs}
        known = [marks for marks in standing.marks if marks.epoch in asked]
        return not all(_is_covered(marks, told.get(marks.epoch, EpochMarks(marks.epoch, 0))) for marks in known)

    def _send_what_nobody_heard(self) -> None:
        """Give up on what went out before the first answer on this connection: the store came only later."""
        self._is_unheard = False
        self._attempts.update((key, sent.attempt) for key, sent in self._flying.items())
        self._flying.clear()
        self._window = self._largest

    def _settle(self, ack: Ack, now_s: float) -> None:
        marks = {told.epoch: told for told in ack.epochs}
        settled = [key for key in self._flying if key.epoch in marks and marks[key.epoch].covers(key.seq)]
        clean = False
        for key in settled:
            sent = self._flying.pop(key)
            if sent.attempt == 1:
                clean = True
                self._measure(now_s - sent.at_s)
        if clean:
            self._window = min(self._largest, self._window + 1)
        soon_s = now_s + SHORTEST_S
        for key, sent in self._flying.items():  # a sign of life: no reason to wait for minutes any more
            if sent.attempt > 1 and sent.due_s > soon_s:
                self._flying[key] = _Sent(sent.at_s, soon_s, 2)

    def _measure(self, round_trip_s: float) -> None:
        known = self._round_trip_s
        self._round_trip_s = round_trip_s if known is None else known + _SMOOTHING * (round_trip_s - known)

    def _patience_s(self, attempt: int) -> float:
        """Return how long to wait for the ack of this attempt, 1 for the first."""
        base_s = min(LONGEST_S, max(SHORTEST_S, 4 * (self._round_trip_s or 0.0)))
        wait_s = min(PATIENCE_S, base_s * float(1 << min(attempt - 1, 10)))
        return wait_s * (1 + _JITTER * (2 * self._random() - 1))


def _is_covered(known: EpochMarks, told: EpochMarks) -> bool:
    """Return whether a store has all that is known to be settled, as far as its answer tells: it may be cut short."""
    last = told.sel[-1][1] if len(told.sel) >= MAX_RANGES else None
    return covers(told, known if last is None else clip(known, last))
