"""LiveDoor: the live part of the application, before the routes: /ws and /socket.io/."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from cloud.live.hub import Hub
from cloud.live.websocket import WebSocketDoor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
WEBSOCKET_PATH, SOCKET_IO_PATH = "/ws", "/socket.io/"


class _SocketIo(Protocol):
    """The Socket.IO side, whose library is large and loaded when somebody asks for it first."""

    app: App

    @property
    def has_room(self) -> bool:
        """Return whether one more may open a connection."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands in the metrics for a request that no route serves."""

    path: str


class LiveDoor:
    """Passes on what is not live."""

    def __init__(self, app: App, hub: Hub) -> None:
        self._app = app
        self._websocket = WebSocketDoor(hub)
        self._hub = hub
        self._socket_io: _SocketIo | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one connection."""
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path == WEBSOCKET_PATH:
            await self._websocket.serve(WebSocket(scope, receive, send))
        elif scope["type"] in ("http", "websocket") and f"{path}/".startswith(SOCKET_IO_PATH):
            await self._serve_socket_io(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "there is nothing live here"})
        else:
            await self._app(scope, receive, send)

    async def _serve_socket_io(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket_io = self._socket_io or await self._open_socket_io()
        is_full = b"sid=" not in scope["query_string"] and not socket_io.has_room
        if scope["type"] == "http":
            scope["route"] = _Place(SOCKET_IO_PATH)
        if not is_full:
            await socket_io.app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("too many are connected", 503, {"Retry-After": "30"})(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013, "reason": "too many are connected"})

    async def _open_socket_io(self) -> _SocketIo:
        made = await asyncio.to_thread(_load, self._hub)
        self._socket_io = self._socket_io or made
        return self._socket_io


def _load(hub: Hub) -> _SocketIo:
    from cloud.live.socket_io import SocketIoDoor  # noqa: PLC0415 - with clients' libraries beside it 40 MB

    return SocketIoDoor(hub)
