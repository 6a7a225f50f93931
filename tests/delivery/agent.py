"""Agent: the real edge without its waiting: sealing, buffer, outbox and conversation, driven step by step."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.buffers.memory import MemoryBuffer
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.delivery.conversation import Conversation
from edge_agent.delivery.inbox import Inbox
from edge_agent.delivery.pending import Bounds, Pending, Sealing
from edge_agent.delivery.presence import Identity
from edge_agent.ports import Buffer, StoredBatch
from protocols.batch import BatchKind, GatewayEvent, Key
from protocols.codec import unpack
from protocols.delivery import Ack
from tests.delivery.made import Plant
from tests.delivery.straight import Killed, KilledMidway, Line, StillClock, StraightBuffer, at_once
from tests.delivery.variant import Variant
from tests.support.batches import tag_table

GATEWAY = "gw-1"
CAP = 96 * 1024
BIG = 700
_MANY = 1 << 30
Image = MemoryBuffer | dict[str, bytes]


class Agent:
    """One live agent. down: acks on their way to it; unacks: how often it found the store to have gone back."""

    def __init__(
        self, directory: Path, *, variant: Variant, draw: Callable[[], int], clock: StillClock, plant: Plant
    ) -> None:
        self._directory = directory
        self._place = BufferPlace(directory / "buffer.db", GATEWAY, CAP)
        self._variant = variant
        self._draw = draw
        self._clock = clock
        self._plant = plant
        self._nonces = draw
        self.table = tag_table(3)
        self.down: list[bytes] = []
        self.sent_s: dict[Key, float] = {}
        self.unacks = 0
        self.buffer: Buffer
        self._stored_table = ""

    def begin(self, *, in_file: bool) -> None:
        """Start for the first time."""
        self._directory.mkdir()
        if in_file:
            self.buffer = self._variant.open_buffer(self._place, self._draw)
        else:
            self.buffer = MemoryBuffer(gateway=GATEWAY, max_bytes=CAP, draw=self._draw)
        self._wake_up()

    def begin_from(self, image: Image) -> None:
        """Start with the buffer of an image, in the place of whatever buffer there is."""
        if isinstance(image, MemoryBuffer):
            self.buffer = image.image().reopened()
        else:
            self._put_down()
            self._directory.mkdir(exist_ok=True)
            for old in self._directory.glob("buffer.db*"):
                old.unlink()
            for name, content in image.items():
                (self._directory / name).write_bytes(content)
            self.buffer = self._variant.open_buffer(self._place, self._draw)
        self._wake_up()

    def restart(self) -> None:
        """Be killed and start again."""
        if isinstance(self.buffer, MemoryBuffer):
            self.buffer = self.buffer.reopened()
            self._wake_up()
        else:
            self.begin_from(self.image())

    def stop(self) -> None:
        """Go away for good."""
        self._put_down()
        shutil.rmtree(self._directory, ignore_errors=True)

    def image(self) -> Image:
        """Return what a backup, or a power cut, finds of the buffer."""
        if isinstance(self.buffer, MemoryBuffer):
            return self.buffer.image()
        return {path.name: path.read_bytes() for path in self._directory.glob("buffer.db*")}

    @property
    def is_online(self) -> bool:
        """Return whether it has a connection."""
        return self._line.is_up

    def seal(self, sizes: Sequence[int], *, events: int = 0, poison: int = 0, killed_at: int | None = None) -> None:
        """Commit batches of so many readings each, with events and poison, as one transaction."""
        pending = Pending(Bounds())
        for segment, size in enumerate(sizes):
            block = self._plant.block(size, tags=len(self.table.tags))
            pending.add(block, segment=segment, table=self.table)
        for _ in range(events):
            pending.tell(GatewayEvent(self._plant.now_us, "clock_stepped"), segment=len(sizes), table=self.table)
        sealing = Sealing(pending.take(), stored_table=self._stored_table)
        batches = list(sealing())
        if sealing.table == self.table.hash:
            batches += [self._plant.poison(3, table=self.table) for _ in range(poison)]
        whole = batches if killed_at is None else KilledMidway(batches, killed_at % (len(batches) + 1))
        at_once(self._straight.append(lambda: whole, at_us=self._plant.now_us))
        if killed_at is not None:
            raise Killed
        self._stored_table = sealing.table

    def connect(self) -> None:
        """Make a new connection and say hello."""
        self.down.clear()
        self.sent_s.clear()
        self._line.is_up = True
        at_once(self._conversation.begin())

    def hang_up(self) -> None:
        """Lose the connection; the process lives on."""
        self.down.clear()
        self._line.is_up = False

    def hear(self, payloads: Sequence[bytes]) -> None:
        """Let these acks come in, and take a turn."""
        for payload in payloads:
            self._inbox.receive(payload)
        self.turn()

    def turn(self) -> None:
        """Apply what came in and send what is due, if there is a connection."""
        if self.is_online:
            acks = self._inbox.take()
            at_once(self._conversation.turn(acks))
            self._forget_answered(acks)

    def post(self) -> list[tuple[str, bytes]]:
        """Take out what was sent, as (topic, payload)."""
        out, self._line.out = self._line.out, []
        now_s = self._clock.monotonic_s()
        headers = [unpack(payload).header for topic, payload in out if topic.endswith("/data")]
        keys = [header.key for header in headers]
        self.sent_s.update({one.key: now_s for one in headers if one.kind is not BatchKind.TAGS})
        self._variant.published(self.buffer, keys)
        return out

    @property
    def in_flight(self) -> frozenset[Key]:
        """Return what the outbox believes to be in flight."""
        return self._outbox.in_flight

    def due(self, *, skip: frozenset[Key] = frozenset()) -> Sequence[StoredBatch]:
        """Return every batch that waits for an ack."""
        return self.buffer.unacked(skip=skip, limit=_MANY)

    def retained(self) -> list[Key]:
        """Return the keys of all batches that the buffer holds, acked or not."""
        if isinstance(self.buffer, MemoryBuffer):
            image = self.buffer.image()
            image.unack()
            return [batch.key for batch in image.unacked(skip=frozenset(), limit=_MANY)]
        assert isinstance(self.buffer, SqliteBuffer)
        shelf = self.buffer._shelf  # noqa: SLF001 - nothing in the product asks for the keys of what is acked
        return [
            Key(book.epoch, book.seq_of(row_id))
            for book in shelf.in_order()
            for row_id in shelf.ids(book, book.lo, book.last, limit=_MANY)
        ]

    def _forget_answered(self, acks: Sequence[Ack]) -> None:
        marks = [told for ack in acks for told in ack.epochs]
        for key in [key for key in self.sent_s if any(one.epoch == key.epoch and one.covers(key.seq) for one in marks)]:
            del self.sent_s[key]

    def _wake_up(self) -> None:
        self.down.clear()
        self.sent_s.clear()
        self._line = Line()
        self._inbox = Inbox(lambda: None)
        self._straight = StraightBuffer(self.buffer, self._count_unack)
        self._outbox = self._variant.outbox(random=lambda: 0.5)
        self._stored_table = ""
        self._conversation = Conversation(
            uplink=self._line,
            buffer=self._straight,
            clock=self._clock,
            identity=Identity(GATEWAY, "1.0.0"),
            random=lambda: self._nonces() / (1 << 30),
            record=lambda *_: None,
            outbox=self._outbox,
        )

    def _count_unack(self) -> None:
        self.unacks += 1
        self.sent_s.clear()

    def _put_down(self) -> None:
        if hasattr(self, "buffer"):
            self.buffer.close()
