"""/socket.io/: the same events for Socket.IO's stock clients, by polling and by WebSocket; nothing else imports it.

Engine.IO keeps an unbounded queue for each client. So events wait in our own bounded mailbox, and one is handed over
only while that queue is short: a slow client costs a mailbox and no more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import socketio
from engineio.packet import NOOP, Packet
from socketio.exceptions import ConnectionRefusedError as Refusal
from starlette.requests import HTTPConnection

from cloud.domain.api_key import Principal
from cloud.domain.scopes import Scope
from cloud.errors import CloudError, Invalid, Unauthorized
from cloud.live.feed import Client
from cloud.live.hub import HEARTBEAT_S, SENT_WITHIN_S, Hub
from cloud.live.mailbox import TOO_SLOW
from cloud.live.origin import is_welcome, sent_number, sent_token, shown_token
from cloud.live.pace import Pace
from cloud.live.rooms import read_rooms

_MOST_BYTES = 16 * 1024
_MOST_QUEUED = 32
_LOOK_S = 0.02
_CONNECT_S = 10.0
_REFUSED_S = 0.2
Reply = dict[str, object]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """One connected client and the task that serves it."""

    client: Client
    connection: HTTPConnection
    token: str
    engine: str
    pace: Pace
    task: asyncio.Task[None] | None = None


class SocketIoDoor:
    """Serves every Socket.IO connection of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._sessions: dict[str, Session] = {}
        self._refusing: set[asyncio.Task[None]] = set()
        self._server: Any = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,
            cors_allowed_origins=self._is_allowed,
            cors_credentials=True,
            ping_interval=HEARTBEAT_S,
            ping_timeout=HEARTBEAT_S,
            max_http_buffer_size=_MOST_BYTES,
        )
        self.app: Any = socketio.ASGIApp(self._server)
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        for name, answer in (
            ("subscribe", self._subscribe),
            ("unsubscribe", self._unsubscribe),
            ("replay", self._replay),
            ("request_metrics", self._metrics),
            ("authenticate", self._renew),
        ):
            self._server.on(name, self._answering(answer))
        self._server.on("*", self._unknown)

    @property
    def has_room(self) -> bool:
        """Return whether one more may open a connection, whoever it is."""
        return len(self._server.eio.sockets) < self._hub.bounds.socketio

    def _is_allowed(self, _origin: str, environ: MutableMapping[str, Any]) -> bool:
        return is_welcome(HTTPConnection(environ["asgi.scope"]), self._hub.bounds.origins)

    async def _connect(self, sid: str, environ: MutableMapping[str, Any], auth: object) -> None:
        try:
            await self._open(sid, HTTPConnection(environ["asgi.scope"]), auth)
        except Refusal:
            engine = self._server.manager.eio_sid_from_sid(sid, "/")
            closing = asyncio.create_task(self._close_refused(engine), name="socket.io refusal")
            self._refusing.add(closing)
            closing.add_done_callback(self._refusing.discard)
            raise

    async def _close_refused(self, engine: str) -> None:
        """Close the transport of a client that was refused, once it could hear that it was."""
        transport = self._server.eio.sockets.get(engine)
        await asyncio.sleep(_REFUSED_S)
        with suppress(KeyError):
            await self._server.eio.disconnect(engine)
        await _wake(transport)

    async def _open(self, sid: str, connection: HTTPConnection, auth: object) -> None:
        token = sent_token(auth) or shown_token(connection)
        principal = await self._admit(connection, token)
        if len(self._sessions) >= self._hub.bounds.socketio:
            raise Refusal("too many are connected: try again later")
        engine = self._server.manager.eio_sid_from_sid(sid, "/")
        session = Session(Client(principal), connection, token, engine, Pace(self._hub.clock))
        since = sent_number(auth, "since")
        self._sessions[sid] = session
        try:
            await self._hub.feed.join(session.client, replays=since is not None)
        except CloudError as error:
            self._forget(sid)
            raise Refusal(str(error)) from error
        session.task = asyncio.create_task(self._serve(sid, session, since), name="socket.io")

    async def _admit(self, connection: HTTPConnection, token: str) -> Principal:
        try:
            principal = await self._hub.admit(connection, token)
        except Unauthorized as error:
            raise Refusal("unauthorized", str(error)) from error
        except CloudError as error:
            raise Refusal(str(error)) from error
        if principal is None:
            raise Refusal("unauthorized", "send {token} as auth, or the cookie of who logged in")
        return principal

    async def _serve(self, sid: str, session: Session, since: int | None) -> None:
        """Tell one client what happens until it goes or may not stay."""
        if not await self._is_there(sid):
            self._forget(sid)
            return
        steps = [self._tell(sid, session), self._watch(session)]
        steps += [] if since is None else [self._hub.feed.replay(session.client, since)]
        tasks = [asyncio.create_task(step, name="socket.io") for step in steps]
        reason = ""
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except CloudError as error:
            reason = str(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._drop(sid, session, reason)

    async def _is_there(self, sid: str) -> bool:
        """Return whether a client is told that it is connected, once it is: nothing may come before that."""
        for _ in range(round(_CONNECT_S / _LOOK_S)):
            if sid not in self._sessions:
                return False
            if self._server.manager.is_connected(sid, "/"):
                return True
            await asyncio.sleep(_LOOK_S)
        return False

    async def _tell(self, sid: str, session: Session) -> None:
        while True:
            event = await session.client.mailbox.take()
            if event is None:
                raise Unauthorized(TOO_SLOW)
            await self._has_drained(session)
            if session.client.may(event.scope):
                await self._server.emit(event.name, event.payload(), to=sid)

    async def _has_drained(self, session: Session) -> None:
        """Return once the client took most of what it was sent; raise Unauthorized for one that takes nothing."""
        for _ in range(round(SENT_WITHIN_S / _LOOK_S)):
            engine = self._server.eio.sockets.get(session.engine)
            if engine is None or engine.queue.qsize() < _MOST_QUEUED:
                return
            if session.client.mailbox.is_over:
                break
            await asyncio.sleep(_LOOK_S)
        raise Unauthorized(TOO_SLOW)

    async def _watch(self, session: Session) -> None:
        while True:
            token = session.token
            reason = await self._hub.until_unwelcome(session.connection, token, session.client)
            if token == session.token:
                raise Unauthorized(reason)

    async def _drop(self, sid: str, session: Session, reason: str) -> None:
        """Tell a client why and close its transport, so that stock clients come back by themselves."""
        _log.info("a live client was dropped", extra={"reason": reason, "caller": session.client.principal.name})
        with suppress(KeyError):
            await self._server.emit("dropped", {"reason": reason}, to=sid)
            await self._server.eio.disconnect(session.engine)

    async def _disconnect(self, sid: str, _reason: str = "") -> None:
        session = self._sessions.get(sid)
        self._forget(sid)
        engine = None if session is None else self._server.eio.sockets.get(session.engine)
        await _wake(engine)

    def _forget(self, sid: str) -> None:
        session = self._sessions.pop(sid, None)
        if session is None:
            return
        self._hub.feed.leave(session.client)
        if session.task is not None and session.task is not asyncio.current_task():
            session.task.cancel()

    def _answering(
        self, answer: Callable[[Session, object], Awaitable[Reply]]
    ) -> Callable[..., Awaitable[Reply | None]]:
        """Return the handler that paces a client and tells it what was wrong with what it sent."""

        async def handle(sid: str, sent: object = None, *_: object) -> Reply | None:
            session = self._sessions.get(sid)
            if session is None:
                return None
            begun_s = perf_counter()
            if not session.pace.allows_one():
                session.client.mailbox.end()
                return _error("TOO_MANY_MESSAGES", "too many messages")
            try:
                reply = await answer(session, sent)
            except CloudError as error:
                reply = _error(error.code or "UNAVAILABLE", str(error))
                await self._server.emit("error", reply, to=sid)
            self._hub.took(perf_counter() - begun_s)
            return reply

        return handle

    async def _subscribe(self, session: Session, sent: object) -> Reply:
        session.client.rooms.enter(read_rooms(sent))
        return {"status": "subscribed", **session.client.rooms.shown(), "seq": self._hub.feed.position}

    async def _unsubscribe(self, session: Session, sent: object) -> Reply:
        session.client.rooms.leave(read_rooms(sent))
        session.client.turns.follow({})
        return {"status": "unsubscribed", **session.client.rooms.shown(), "seq": self._hub.feed.position}

    async def _replay(self, session: Session, sent: object) -> Reply:
        since = sent_number(sent, "since")
        if since is None:
            raise Invalid("since: send the last seq that you have", code="INVALID_PARAMETERS")
        await self._hub.feed.replay(session.client, since)
        return {"status": "replayed", "seq": self._hub.feed.position}

    async def _metrics(self, session: Session, _sent: object) -> Reply:
        if not session.client.may(Scope.SYSTEM_READ):
            raise Invalid(f"this needs the scope {Scope.SYSTEM_READ}", code="MISSING_SCOPE")
        event = await self._hub.metrics()
        session.client.mailbox.put(event)
        return {"status": "sent"}

    async def _renew(self, session: Session, sent: object) -> Reply:
        token = sent_token(sent)
        principal = await self._hub.admit(session.connection, token) if token else None
        if principal is None:
            raise Unauthorized("send {token}", code="MISSING_TOKEN")
        session.client.principal, session.token = principal, token
        return {"status": "authenticated"}

    async def _unknown(self, event: str, sid: str, *_: object) -> Reply | None:
        async def refuse(_session: Session, _sent: object) -> Reply:
            raise Invalid(f"there is no event {event!r:.60}", code="UNKNOWN_EVENT")

        return await self._answering(refuse)(sid)


async def _wake(transport: Any) -> None:  # noqa: ANN401 - the library says nothing of its types
    """Answer a poll that waits: it would for a minute more, with nobody to listen."""
    if transport is not None:
        await transport.queue.put(Packet(NOOP))


def _error(code: str, message: str) -> Reply:
    return {"status": "error", "code": code, "message": message}
