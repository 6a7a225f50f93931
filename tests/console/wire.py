"""Wire: what lies between a browser and the API, or a gateway and the broker, and can be cut."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

LIVE = b"/ws"
_START_S = 10.0


class Wire:
    """Passes bytes on between a free port of loopback and another one, from a thread of its own. A context manager.

    Where HTTP goes over it, a cut takes the live feeds alone: what a connection is for is read off its first request,
    and a browser opens one of its own for each live feed. Else it takes everything.
    """

    def __init__(self, to_port: int, *, is_http: bool = True) -> None:
        self.port = 0
        self._is_http = is_http
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

    def cut(self) -> None:
        """End what it carries, or of HTTP all live feeds, and take nothing of that kind."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._end_live)

    def mend(self) -> None:
        """Take it again."""
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
            first = await reader.readuntil(b"\r\n\r\n") if self._is_http else b""
            is_live = not self._is_http or first.split(b" ", 2)[1].startswith(LIVE)
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
