"""What an agent stands on when nothing may wait: a buffer asked at once, a line without a broker, a still clock."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from edge_agent.errors import UplinkLost
from edge_agent.ports import Buffer, BufferIdentity, BufferStanding, Ledger, StoredBatch
from protocols.batch import Key, SealedBatch
from protocols.delivery import Ack
from tests.support.cloud_clock import HandClock

Result = TypeVar("Result")


class StillClock(HandClock):
    """A HandClock that nobody may sleep by."""

    async def sleep(self, seconds: float) -> None:
        """Fail: the parts that wait are not driven here."""
        raise AssertionError(f"it sleeps {seconds} s")


class Killed(Exception):
    """The process ends here."""


def at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """Run what never waits to its end."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("it waited")


class KilledMidway(Sequence[SealedBatch]):
    """Batches whose storing is never finished: the process is killed after the first `at`."""

    def __init__(self, batches: Sequence[SealedBatch], at: int) -> None:
        self._batches = batches
        self._at = at
        self._walks = 0

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as Sequence has it
        return self._batches[at]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[SealedBatch]:
        """Walk over all: the first walk only sizes them, the second one stores."""
        self._walks += 1
        for at, batch in enumerate(self._batches):
            if self._walks > 1 and at >= self._at:
                raise Killed
            yield batch


class StraightBuffer:
    """An AsyncBuffer that asks the buffer in the same breath; `unacked` is told when all is opened again."""

    def __init__(self, buffer: Buffer, unacked: Callable[[], None]) -> None:
        self.buffer = buffer
        self._unacked = unacked

    async def opened(self) -> BufferIdentity:
        return BufferIdentity(self.buffer.epoch, self.buffer.last_at_us)

    async def append(self, seal: Callable[[], Sequence[SealedBatch]], *, at_us: int) -> Sequence[Key]:
        return self.buffer.append(seal(), at_us=at_us)

    async def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        return self.buffer.unacked(skip=skip, limit=limit, newest=newest)

    async def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        return self.buffer.tables(hashes)

    async def apply(self, ack: Ack) -> bool:
        return self.buffer.apply(ack)

    async def unack(self) -> int:
        self._unacked()
        return self.buffer.unack()

    async def standing(self) -> BufferStanding:
        return BufferStanding(self.buffer.generation, tuple(self.buffer.epochs()), tuple(self.buffer.marks()))

    async def ledger(self) -> Ledger:
        return self.buffer.ledger()

    async def maintain(self) -> bool:
        return self.buffer.maintain()

    async def close(self) -> None:
        self.buffer.close()


class Line:
    """An Uplink that is up or not; out: what went out since it was last emptied."""

    def __init__(self) -> None:
        self.is_up = False
        self.out: list[tuple[str, bytes]] = []

    def leave_behind(self, topic: str, payload: bytes) -> None:
        """Leave no will."""

    async def connect(self) -> None:
        self.is_up = True

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        del retain
        if not self.is_up:
            raise UplinkLost("the line is cut")
        self.out.append((topic, payload))

    async def publish_confirmed(self, topic: str, payload: bytes) -> None:
        await self.publish(topic, payload)

    def listen(self, topic: str, receive: Callable[[bytes], None]) -> None:
        """Have messages brought by `Agent.hear`."""

    async def lost(self) -> None:
        """Be told of it by `Agent.hang_up`."""

    async def close(self) -> None:
        self.is_up = False
