"""LiveServer: the cloud of a test behind a real uvicorn on a free port of loopback, inside the test's event loop."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import websockets

from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.processes.api import frame_of
from cloud.records.notices import add_notice
from tests.support.cloud import Cloud

LIVE = (Scope.DATA_READ, Scope.ALARMS_READ, Scope.LEARNING_READ, Scope.SYSTEM_READ, Scope.TASKS_UPDATE)
_WAIT_S = 60.0


@dataclass(frozen=True)
class LiveServer:
    """Where it listens, and the cloud behind it."""

    cloud: Cloud
    port: int

    @property
    def http(self) -> str:
        """Return the address for HTTP and Socket.IO."""
        return f"http://127.0.0.1:{self.port}"

    def ws(self, **query: str | int) -> str:
        """Return the address of the WebSocket."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}/ws" + (f"?{text}" if text else "")

    def connect(self, *scopes: Scope, **query: str | int) -> websockets.connect:
        """Connect to /ws with a key of these scopes, of all that live feeds take where none are named."""
        return websockets.connect(self.ws(token=self.cloud.key(*(scopes or LIVE)), **query))

    def tell(self, kind: NoticeKind, subject: str = "it", *, device: str = "", gateway: str = "", **data: Any) -> None:  # noqa: ANN401 - JSON
        """Let something happen."""
        self.tell_many(NewNotice(kind, to_datetime(self.cloud.clock.now_us()), subject, data, device, gateway))

    def tell_many(self, *news: NewNotice) -> None:
        """Let all of this happen at once."""
        with self.cloud.api.records.writing() as session:
            for new in news:
                add_notice(session, new)
                session.flush()


@asynccontextmanager
async def live_server(cloud: Cloud, **frame: Any) -> AsyncIterator[LiveServer]:  # noqa: ANN401 - uvicorn's settings
    """Serve a cloud; frame: other settings of uvicorn than the product's."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(cloud.api.app, **{**frame_of(cloud.api), **frame}))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # older releases
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await until(lambda: server.started)
        yield LiveServer(cloud, bound.getsockname()[1])
    finally:
        server.should_exit = True
        await serving
        bound.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Return once something is so."""
    async with asyncio.timeout(_WAIT_S):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def hear(connection: websockets.ClientConnection, *types: str) -> dict[str, Any]:
    """Return the next message of one of these types."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            message: dict[str, Any] = json.loads(await connection.recv())
            if message["type"] in types:
                return message


async def say(connection: websockets.ClientConnection, **message: Any) -> None:  # noqa: ANN401 - JSON
    """Send a message."""
    await connection.send(json.dumps(message))
