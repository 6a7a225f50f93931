"""The frame around every request, as plain ASGI: id, crash, size, host, security headers, envelope, figures.

From outside to inside: Requests (id, log, figures, crash) > Hosts > BodyLimit > Envelope > the application.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_address
from time import perf_counter
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec

from cloud.api.frame import CRASHED, Failure, failure, prefix_of
from cloud.api.limits import STANDING, rate_headers
from cloud.api.wire import App, Message, Receive, Scope, Send, header
from cloud.domain.times import to_text
from cloud.logs import about_request
from cloud.ports import Clock

Observe = Callable[[str, str, int, float], None]
"""Takes method, handler, status and seconds of each request."""

REQUEST_ID = b"x-request-id"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_API_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_UNMATCHED = "unmatched"
_QUIET = ("/health", "/metrics")
log = logging.getLogger(__name__)


async def answer(what: Failure, scope: Scope, send: Send, clock: Clock) -> None:
    """Send a failure from outside of the application."""
    body = what.body(path=scope["path"], request_id=scope["request_id"], timestamp=to_text(clock.now_us()))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(key.lower().encode(), value.encode()) for key, value in what.headers.items()]
    await send({"type": "http.response.start", "status": what.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Requests:
    """Outermost: gives the request its id, echoes it on every answer, counts, logs, and answers for a crash."""

    def __init__(self, app: App, clock: Clock, begun: Callable[[], None], observe: Observe) -> None:
        """Begun: called for each request that comes; observe: for each that was answered, or given up."""
        self._app = app
        self._clock = clock
        self._begun = begun
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, REQUEST_ID)
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else str(uuid4())
        scope["request_id"] = request_id
        with about_request(request_id):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request as a supervised task: what it raises is logged here, and the next one is served."""
        self._begun()
        begun, status = perf_counter(), 0
        own = (*_HEADERS, (REQUEST_ID, scope["request_id"].encode()))

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_headers(message["headers"], (*own, *_rate_of(scope)))
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except Exception:
            log.exception("a request failed", extra={"path": scope["path"]})
            if status == 0:
                await answer(failure(500, CRASHED), scope, framed, self._clock)
        finally:
            seconds = perf_counter() - begun
            self._observe(scope["method"], handler_of(scope), status, seconds)
        level = logging.DEBUG if scope["path"].startswith(_QUIET) else logging.INFO
        if log.isEnabledFor(level):
            facts = {"method": scope["method"], "path": scope["path"], "status": status, "seconds": round(seconds, 6)}
            log.log(level, "request", extra=facts)


def _with_headers(sent: list[tuple[bytes, bytes]], own: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in sent}
    return [*sent, *own, *((name, value) for name, value in _API_HEADERS if name not in names)]


def _rate_of(scope: Scope) -> list[tuple[bytes, bytes]]:
    standing = scope.get(STANDING)
    if standing is None:
        return []
    return [(name.lower().encode(), value.encode()) for name, value in rate_headers(standing).items()]


def handler_of(scope: Scope) -> str:
    """Return the route's template with its mount, never the raw path."""
    template = getattr(scope.get("route"), "path", None)
    if template is None:
        return _UNMATCHED
    prefix = prefix_of(scope["path"])
    return template if template.startswith(f"{prefix}/") and prefix else f"{prefix}{template}"


class Hosts:
    """Refuses names that are not ours: a page in somebody's browser must not reach us under a name of its own."""

    def __init__(self, app: App, clock: Clock, allowed: Collection[str]) -> None:
        self._app = app
        self._clock = clock
        self._allowed = {name.lower() for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what carries a good Host header."""
        is_allowed = self._is_allowed(header(scope, b"host").decode("latin-1").lower())
        if scope["type"] == "websocket" and not is_allowed:
            await send({"type": "websocket.close", "code": 1008, "reason": "this host name is not served here"})
            return
        if scope["type"] == "http" and not is_allowed:
            await answer(
                failure(400, "this host name is not served here", specific="UNKNOWN_HOST"), scope, send, self._clock
            )
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
        if not name or "*" in self._allowed or name in self._allowed:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


class BodyLimit:
    """Refuses bodies over a bound, whether their length is announced or not; larger: other bounds, by path."""

    def __init__(self, app: App, clock: Clock, *, max_bytes: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._clock = clock
        self._max_bytes = max_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = header(scope, b"content-length")
        max_bytes = self._larger.get(scope["path"], self._max_bytes)
        if announced.isdigit() and int(announced) > max_bytes:
            await self._refuse(scope, send, max_bytes)
            return
        await self._counted(scope, receive, send, max_bytes)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
        seen, refused = 0, False

        async def counting() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > max_bytes and not refused:
                refused = True
                await self._refuse(scope, send, max_bytes)
            return {"type": "http.disconnect"} if refused else message

        async def unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        await self._app(scope, counting, unless_refused)

    async def _refuse(self, scope: Scope, send: Send, max_bytes: int) -> None:
        what = failure(413, f"the body is over {max_bytes} bytes", specific="FILE_TOO_LARGE")
        await answer(what, scope, send, self._clock)


class Envelope:
    """Wraps a JSON answer into {data, meta} for those who ask for it; errors have a form of their own."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _wants_envelope(scope):
            await self._app(scope, receive, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        for message in self._wrapped(kept, scope["request_id"]):
            await send(message)

    def _wrapped(self, kept: list[Message], request_id: str) -> list[Message]:
        if not kept or kept[0]["status"] >= 400 or not _is_json(kept[0]):
            return kept
        body = b"".join(message.get("body", b"") for message in kept[1:])
        meta = msgspec.json.encode({"timestamp": to_text(self._clock.now_us()), "request_id": request_id})
        body = b'{"data":%b,"meta":%b}' % (body or b"null", meta)
        headers = [(name, value) for name, value in kept[0]["headers"] if name != b"content-length"]
        start = {**kept[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        return [start, {"type": "http.response.body", "body": body}]


def _wants_envelope(scope: Scope) -> bool:
    if b"envelope" in scope["query_string"]:
        return parse_qs(scope["query_string"].decode("latin-1")).get("envelope", [""])[-1].lower() in ("true", "1")
    return b"profile=envelope" in header(scope, b"accept").replace(b'"', b"")


def _is_json(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"application/json") for name, value in start["headers"])
