"""Where a broken variant of delivery differs from the real one; the methods here are the real one."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from cloud.ingest.ledger import Ledger
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.delivery.outbox import Outbox
from edge_agent.ports import Buffer
from protocols.batch import Key
from protocols.delivery import Ack

Acks = Sequence[tuple[str, Ack]]


class Variant:
    """The real protocol. A mutation overrides one decision and says which invariants may find it."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    needs_file: ClassVar[bool] = False
    """Whether only the buffer in a file is broken."""
    faults: ClassVar[frozenset[str]] = frozenset()
    """The rules that a search for it needs, so that it is short; none: all of them."""
    acks_before_commit: ClassVar[bool] = False
    outbox: ClassVar[type[Outbox]] = Outbox

    def open_buffer(self, place: BufferPlace, draw: Callable[[], int]) -> Buffer:
        """Open the buffer in a file."""
        return SqliteBuffer(place, draw=draw)

    def published(self, buffer: Buffer, keys: Sequence[Key]) -> None:
        """Take a PUBACK for these batches, which means nothing."""

    def acks(self, acks: Acks, *, news: frozenset[Key]) -> Acks:
        """Return what is said after a commit; news: the keys that were not settled before it."""
        del news
        return acks

    def hello(self, payload: bytes) -> bytes:
        """Return the hello as the store reads it."""
        return payload

    def restored(self, ledger: Ledger, *, now_s: int) -> None:
        """Tell a ledger that it comes from a backup."""
        ledger.restored(now_s=now_s)

    def archive_marks(self, marks: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """Return up to which seq a backup holds the batches of (gateway, epoch)."""
        return marks
