"""/ws: the documented WebSocket: pings, figures, progress, alarms, readings of devices; JSON texts both ways.

Ping frames go out every 30 s by the server underneath, which drops who misses two; what is here are the messages.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import perf_counter

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from cloud.domain.api_key import Principal
from cloud.domain.scopes import Scope
from cloud.errors import CloudError, Invalid, Unauthorized
from cloud.live.feed import Client
from cloud.live.hub import SENT_WITHIN_S, Hub
from cloud.live.mailbox import TOO_SLOW
from cloud.live.origin import is_welcome, sent_number, sent_token, shown_token
from cloud.live.pace import Pace
from cloud.live.rooms import read_rooms

UNWELCOME, TOO_BIG, NO_ROOM = 1008, 1009, 1013
MOST_BYTES = 16 * 1024
_FIRST_MESSAGE_S = 10.0
_MOST_UNKNOWN = 100
_REASON = 120
Sent = dict[str, object]
_log = logging.getLogger(__name__)


class Refused(Exception):
    """The connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class WebSocketDoor:
    """Serves every connection to /ws of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known = 0
        self._unknown = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection to its end."""
        if not is_welcome(socket, self._hub.bounds.origins):
            await socket.close(UNWELCOME, "pages of this origin may not connect")
            return
        await socket.accept()
        try:
            await self._serve(socket)
        except Refused as refused:
            await _close(socket, refused.code, str(refused))
        except (WebSocketDisconnect, OSError):
            return

    async def _serve(self, socket: WebSocket) -> None:
        if self._known >= self._hub.bounds.websockets:
            raise Refused(NO_ROOM, f"{self._known} are connected already: try again later")
        principal, token = await self._admit(socket)
        if self._known >= self._hub.bounds.websockets:
            raise Refused(NO_ROOM, f"{self._known} are connected already: try again later")
        self._known += 1
        client = Client(principal)
        try:
            await Conversation(self._hub, socket, client, token).run()
        except CloudError as error:
            raise Refused(NO_ROOM, str(error)) from error
        finally:
            self._known -= 1
            self._hub.feed.leave(client)

    async def _admit(self, socket: WebSocket) -> tuple[Principal, str]:
        token = shown_token(socket)
        principal = await self._ask(socket, token)
        if principal is not None:
            return principal, token
        if self._unknown >= _MOST_UNKNOWN:
            raise Refused(NO_ROOM, "too many wait to say who they are")
        self._unknown += 1
        try:
            first = await asyncio.wait_for(socket.receive(), _FIRST_MESSAGE_S)
        except TimeoutError:
            raise Refused(UNWELCOME, "unauthorized: no token came") from None
        finally:
            self._unknown -= 1
        token = sent_token(_parsed(first))
        principal = await self._ask(socket, token) if token else None
        if principal is None:
            raise Refused(UNWELCOME, "unauthorized: send a token in the query or in the first message")
        await socket.send_text('{"type":"authenticated"}')
        return principal, token

    async def _ask(self, socket: WebSocket, token: str) -> Principal | None:
        try:
            return await self._hub.admit(socket, token)
        except Unauthorized as error:
            raise Refused(UNWELCOME, f"unauthorized: {error}") from error
        except CloudError as error:
            raise Refused(NO_ROOM, str(error)) from error


class Conversation:
    """One client that is known: what it says, and what it is told, at the same time."""

    def __init__(self, hub: Hub, socket: WebSocket, client: Client, token: str) -> None:
        self._hub = hub
        self._socket = socket
        self._client = client
        self._token = token
        self._pace = Pace(hub.clock)
        self._answers: Mapping[str, Callable[[Sent], Awaitable[Sent | None]]] = {
            "ping": self._pong,
            "request_metrics": self._metrics,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "replay": self._replay,
            "auth": self._renew,
        }

    async def run(self) -> None:
        """Go on until one side ends it; raise Refused, WebSocketDisconnect, Unavailable."""
        since = self._since()
        await self._hub.feed.join(self._client, replays=since is not None)
        steps = [self._listen(), self._tell(), self._watch()]
        steps += [] if since is None else [self._hub.feed.replay(self._client, since)]
        tasks = [asyncio.create_task(step, name="ws") for step in steps]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _since(self) -> int | None:
        text = self._socket.query_params.get("since", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            begun_s = perf_counter()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            if len(message.get("text") or message.get("bytes") or "") > MOST_BYTES:
                raise Refused(TOO_BIG, f"a message has at most {MOST_BYTES} characters")
            if not self._pace.allows_one():
                raise Refused(UNWELCOME, "too many messages")
            answer = await self._answer(_parsed(message))
            if answer is not None:
                await self._send(msgspec.json.encode(answer).decode())
            self._hub.took(perf_counter() - begun_s)

    async def _answer(self, sent: object) -> Sent | None:
        if not isinstance(sent, dict) or not isinstance(sent.get("type"), str):
            return _error("INVALID_FORMAT", "send a JSON object with a type")
        answer = self._answers.get(sent["type"])
        if answer is None:
            return _error("UNKNOWN_TYPE", f"there are {', '.join(sorted(self._answers))}, not {sent['type']!r:.60}")
        try:
            return await answer({name: value for name, value in sent.items() if name != "type"})
        except CloudError as error:
            return _error(error.code or "UNAVAILABLE", str(error))

    async def _pong(self, sent: Sent) -> Sent:
        stamp = sent.get("timestamp")
        is_number = isinstance(stamp, int | float) and not isinstance(stamp, bool)
        return {"type": "pong", "timestamp": stamp if is_number else self._hub.clock.now_us() // 1000}

    async def _metrics(self, _sent: Sent) -> Sent | None:
        if not self._client.may(Scope.SYSTEM_READ):
            return _error("MISSING_SCOPE", f"this needs the scope {Scope.SYSTEM_READ}")
        await self._send((await self._hub.metrics()).text)
        return None

    async def _subscribe(self, sent: Sent) -> Sent:
        self._client.rooms.enter(read_rooms(sent))
        return {"type": "subscribed", **self._client.rooms.shown(), "seq": self._hub.feed.position}

    async def _unsubscribe(self, sent: Sent) -> Sent:
        self._client.rooms.leave(read_rooms(sent))
        self._client.turns.follow({})
        return {"type": "unsubscribed", **self._client.rooms.shown(), "seq": self._hub.feed.position}

    async def _replay(self, sent: Sent) -> Sent | None:
        since = sent_number(sent, "since")
        if since is None:
            raise Invalid("since: send the last seq that you have", code="INVALID_PARAMETERS")
        await self._hub.feed.replay(self._client, since)
        return None

    async def _renew(self, sent: Sent) -> Sent:
        token = sent_token(sent)
        principal = await self._hub.admit(self._socket, token) if token else None
        if principal is None:
            raise Unauthorized("send a token", code="MISSING_TOKEN")
        self._client.principal, self._token = principal, token
        return {"type": "authenticated"}

    async def _tell(self) -> None:
        while True:
            event = await self._client.mailbox.take()
            if event is None:
                raise Refused(NO_ROOM, TOO_SLOW)
            if self._client.may(event.scope):
                await self._send(event.text)

    async def _watch(self) -> None:
        while True:
            token = self._token
            reason = await self._hub.until_unwelcome(self._socket, token, self._client)
            if token == self._token:
                raise Refused(UNWELCOME, f"unauthorized: {reason}")

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                await self._socket.send_text(text)
        except TimeoutError:
            raise Refused(NO_ROOM, TOO_SLOW) from None


def _parsed(message: Mapping[str, object]) -> object:
    """Return what a message says, None where it is no JSON text."""
    text = message.get("text")
    if not isinstance(text, str) or len(text) > MOST_BYTES:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _error(code: str, message: str) -> Sent:
    return {"type": "error", "code": code, "message": message}


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Say goodbye, but do not wait for long for who does not listen."""
    if socket.application_state is not WebSocketState.CONNECTED:
        return
    with suppress(TimeoutError, RuntimeError, OSError, WebSocketDisconnect):
        await asyncio.wait_for(socket.close(code, reason.encode()[:_REASON].decode(errors="ignore")), SENT_WITHIN_S)
