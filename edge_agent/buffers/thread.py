"""BufferThread: a Buffer behind the one thread it lives in, so that the loop never waits for a disk."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edge_agent.buffers.file import Opened
from edge_agent.errors import BufferDamaged, BufferUnusable
from edge_agent.ports import Buffer, BufferIdentity, BufferStanding, Ledger, StoredBatch
from protocols.batch import Key, SealedBatch
from protocols.delivery import Ack

Result = TypeVar("Result")


class BufferThread:
    """The AsyncBuffer port. `open_file` runs in the thread at the first call, and again after the file was damaged."""

    def __init__(self, open_file: Callable[[BufferDamaged | None], Opened]) -> None:
        self._open_file = open_file
        self._opened: Opened | None = None
        self._damage: BufferDamaged | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="buffer")
        self._is_closed = False

    async def opened(self) -> BufferIdentity:
        """Open the file if it is not, and return who this buffer is."""
        return await self._call(lambda buffer: BufferIdentity(buffer.epoch, buffer.last_at_us))

    async def append(self, seal: Callable[[], Sequence[SealedBatch]], *, at_us: int) -> Sequence[Key]:
        """Run `seal` in the buffer's thread and store durably what it returns."""
        return await self._call(lambda buffer: buffer.append(seal(), at_us=at_us))

    async def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        """Return what is due; see Buffer."""
        return await self._call(lambda buffer: buffer.unacked(skip=skip, limit=limit, newest=newest))

    async def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        """Return the tags batches of these tables."""
        return await self._call(lambda buffer: buffer.tables(hashes))

    async def apply(self, ack: Ack) -> bool:
        """Take over the marks of an ack; return False where it is void."""
        return await self._call(lambda buffer: buffer.apply(ack))

    async def unack(self) -> int:
        """Un-ack every retained batch; return how many."""
        return await self._call(lambda buffer: buffer.unack())

    async def standing(self) -> BufferStanding:
        """Return epochs, marks and generation as one."""
        return await self._call(_standing)

    async def ledger(self) -> Ledger:
        """Count readings per epoch."""
        return await self._call(lambda buffer: buffer.ledger())

    async def maintain(self) -> bool:
        """Do one short piece of housekeeping; return whether there is more."""
        return await self._call(lambda buffer: buffer.maintain())

    async def close(self) -> None:
        """Let go of the file and end the thread; always safe to call."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=True)

    async def _call(self, ask: Callable[[Buffer], Result]) -> Result:
        if self._is_closed:
            raise BufferUnusable("the buffer was closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, ask)

    def _run(self, ask: Callable[[Buffer], Result]) -> Result:
        if self._opened is None:
            self._opened = self._open_file(self._damage)
            self._damage = None
        try:
            return ask(self._opened.buffer)
        except BufferDamaged as damage:
            self._damage = damage
            self._let_go()
            raise

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.buffer.close()
            opened.lock.release()


def _standing(buffer: Buffer) -> BufferStanding:
    return BufferStanding(buffer.generation, tuple(buffer.epochs()), tuple(buffer.marks()))
