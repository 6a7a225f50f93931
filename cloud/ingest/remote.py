"""RemoteIntake: the intake port for processes that do not write themselves; the caller's side of the door."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cloud.errors import Unavailable
from cloud.ingest.door_messages import (
    Archive,
    Hand,
    Handed,
    Reply,
    Request,
    Tell,
    ask_take,
    framed,
    read_message,
    refusal_of,
    short_path,
)
from cloud.ingest.figures import Sample
from cloud.ports import Arrival, Written

_MAX_UNDER_WAY = 256
_AWAY = "INGEST_AWAY"


class Line:
    """One connection: the answers that are waited for on it fail when it does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._listening = asyncio.create_task(self._listen(reader), name="door")

    @property
    def is_up(self) -> bool:
        """Return whether something may still be asked on it."""
        return not (self._listening.done() or self._writer.is_closing())

    async def ask(self, request: Request) -> Reply:
        """Return the reply; raise Unavailable, Invalid or OSError."""
        if len(self._waiting) >= _MAX_UNDER_WAY:
            raise Unavailable("too many readings wait for the ingest process", code="INGEST_BUSY")
        message = framed(request)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = answer
        try:
            self._writer.write(message)
            await self._writer.drain()
            return await answer
        finally:
            self._waiting.pop(request.number, None)

    async def close(self) -> None:
        """Hang up; what is still waited for fails."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        decoder = msgspec.msgpack.Decoder(Reply)
        why = "it was hung up"
        try:
            while True:
                reply = decoder.decode(await read_message(reader))
                answer = self._waiting.get(reply.number)
                if answer is not None and not answer.done():
                    answer.set_result(reply)
        except (Unavailable, msgspec.MsgspecError) as error:
            why = str(error)
        finally:
            self._writer.close()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unavailable(f"the ingest process is away: {why}", code=_AWAY))


class RemoteIntake:
    """Connects when first used and again after each loss. For one event loop.

    After a time-out the readings may have been written all the same: offering them again is counted as duplicates.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._connecting = asyncio.Lock()
        self._line: Line | None = None

    async def take(self, arrival: Arrival) -> Written:
        """Return when the readings are durable; raise Invalid, or Unavailable where the store is full or away."""
        reply = await self._ask(ask_take(next(self._numbers), arrival))
        if reply.written is None:
            raise Unavailable("the ingest process did not answer the question", code=_AWAY)
        return Written(*reply.written)

    async def samples(self) -> tuple[Sample, ...]:
        """Return what the ingest process counted; raise Unavailable where it is away."""
        return (await self._ask(Tell(next(self._numbers)))).samples or ()

    async def hand(self, messages: Sequence[Handed]) -> None:
        """Return when all these messages are durable; raise Unavailable where they may have to be handed again."""
        await self._ask(Hand(next(self._numbers), tuple(messages)))

    async def archive(self, marks: Mapping[tuple[str, int], int]) -> None:
        """Return when the ledger has these marks of a backup, (gateway, epoch) to seq; raise Unavailable."""
        told = tuple((gateway, epoch, seq) for (gateway, epoch), seq in marks.items())
        await self._ask(Archive(next(self._numbers), told))

    async def close(self) -> None:
        """Hang up; always safe to call."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, request: Request) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):
                line = await self._connected()
                reply = await line.ask(request)
        except TimeoutError as error:
            raise Unavailable(f"no answer from the ingest process in {self._timeout_s} s", code=_AWAY) from error
        except OSError as error:
            raise Unavailable(f"the ingest process is away: {error}", code=_AWAY) from error
        refusal = refusal_of(reply)
        if refusal is not None:
            raise refusal
        return reply

    async def _connected(self) -> Line:
        async with self._connecting:
            if self._line is None or not self._line.is_up:
                await self.close()
                with short_path(self._path) as address:
                    self._line = Line(*await asyncio.open_unix_connection(address))
            return self._line
