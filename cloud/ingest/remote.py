"""RemoteIntake: the intake port for processes that do not write themselves; the caller's side of the door."""

import asyncio
import itertools
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cloud.errors import Unavailable
from cloud.ingest.door_messages import Reply, Request, Tell, ask_take, framed, read_message, refusal_of, short_path
from cloud.ingest.figures import Sample
from cloud.ports import Arrival, Written

_MAX_UNDER_WAY = 256
_AWAY = "INGEST_AWAY"


class RemoteIntake:
    """Connects when first used and again after each loss. For one event loop.

    After a time-out the readings may have been written all the same: offering them again is counted as duplicates.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._connecting = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def take(self, arrival: Arrival) -> Written:
        """Return when the readings are durable; raise Invalid, or Unavailable where the store is full or away."""
        reply = await self._ask(ask_take(next(self._numbers), arrival))
        if reply.written is None:
            raise Unavailable("the ingest process did not answer the question", code=_AWAY)
        return Written(*reply.written)

    async def samples(self) -> tuple[Sample, ...]:
        """Return what the ingest process counted; raise Unavailable where it is away."""
        return (await self._ask(Tell(next(self._numbers)))).samples or ()

    async def close(self) -> None:
        """Hang up; always safe to call."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._hang_up()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, request: Request) -> Reply:
        if len(self._waiting) >= _MAX_UNDER_WAY:
            raise Unavailable("too many readings wait for the ingest process", code="INGEST_BUSY")
        message = framed(request)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = answer
        try:
            async with asyncio.timeout(self._timeout_s):
                writer = await self._connected()
                writer.write(message)
                await writer.drain()
                reply = await answer
        except TimeoutError as error:
            raise Unavailable(f"no answer from the ingest process in {self._timeout_s} s", code=_AWAY) from error
        except OSError as error:
            raise Unavailable(f"the ingest process is away: {error}", code=_AWAY) from error
        finally:
            self._waiting.pop(request.number, None)
        refusal = refusal_of(reply)
        if refusal is not None:
            raise refusal
        return reply

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None or self._writer.is_closing():
                with short_path(self._path) as address:
                    reader, self._writer = await asyncio.open_unix_connection(address)
                self._listening = asyncio.create_task(self._listen(reader, self._writer), name="door")
            return self._writer

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = msgspec.msgpack.Decoder(Reply)
        try:
            while True:
                reply = decoder.decode(await read_message(reader))
                answer = self._waiting.get(reply.number)
                if answer is not None and not answer.done():
                    answer.set_result(reply)
        except (Unavailable, msgspec.MsgspecError) as error:
            self._fail(Unavailable(f"the ingest process is away: {error}", code=_AWAY))
        finally:
            writer.close()

    def _fail(self, error: Unavailable) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._fail(Unavailable("the way to the ingest process was closed", code=_AWAY))
