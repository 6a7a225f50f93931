"""Wire: what lies between a browser and the API, and can be cut: for the live feed alone, or for everything."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

LIVE = b"/ws"
_START_S = 10.0


class Wire:
    """Passes bytes on between a free port of loopback and the API's port, from a thread of its own. A context manager.

    What a connection is for is read off its first request: a browser opens one of its own for each live feed.
    """

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._is_cut = False
        self._live: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)

    @property
    def url(self) -> str:
        """Return the address that a browser goes to."""
        return f"http://127.0.0.1:{self.port}"

    def cut_live(self) -> None:
        """End all live feeds and take no new one; requests go on."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._end_live)

    def mend(self) -> None:
        """Take live feeds again."""
        self._is_cut = False

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_live(self) -> None:
        for writer in list(self._live):
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            first = await reader.readuntil(b"\r\n\r\n")
            is_live = first.split(b" ", 2)[1].startswith(LIVE)
            if is_live and self._is_cut:
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._to_port)
            if is_live:
                self._live.add(writer)
            far.write(first)
            await asyncio.wait(
                {asyncio.ensure_future(_pipe(reader, far)), asyncio.ensure_future(_pipe(far_reader, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._live.discard(writer)
            for one in (writer, far):
                if one is not None:
                    one.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
