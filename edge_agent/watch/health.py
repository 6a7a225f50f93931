"""A small HTTP/1.1 responder on loopback: GET and HEAD of a few paths, bounded in size, time and number.

The Host header must name loopback, so that no web page can read it through a name of its own (DNS rebinding).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"
MAX_HEAD_BYTES = 8 * 1024
MAX_CONNECTIONS = 16
REQUEST_S = 5.0
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one path answers."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"


Answerer = Callable[[], Awaitable[Answer]]


def problem(status: HTTPStatus, detail: str) -> Answer:
    """Return a plain sentence as an answer."""
    return Answer(status, f"{detail}\n".encode(), "text/plain; charset=utf-8")


class HealthServer:
    """Answers on 127.0.0.1:port what the agent says of itself."""

    def __init__(self, port: int, pages: Mapping[str, Answerer]) -> None:
        self._port = port
        self._pages = pages
        self._open = 0

    async def run(self) -> None:
        """Serve until cancelled; raise OSError where the port is taken."""
        server = await asyncio.start_server(self._serve, HOST, self._port, limit=MAX_HEAD_BYTES)
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        is_admitted = self._open <= MAX_CONNECTIONS
        try:
            async with asyncio.timeout(REQUEST_S):
                answer, has_body = await self._respond(reader, is_admitted=is_admitted)
                writer.write(render(answer, has_body=has_body))
                await writer.drain()
        except (TimeoutError, ConnectionError):
            logger.debug("a client of the health port was too slow or went away")
        finally:
            self._open -= 1
            writer.close()

    async def _respond(self, reader: asyncio.StreamReader, *, is_admitted: bool) -> tuple[Answer, bool]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long"), True
        except asyncio.IncompleteReadError:
            return problem(HTTPStatus.BAD_REQUEST, "the request is not complete"), True
        request = parse(head)
        if isinstance(request, Answer):
            return request, True
        if not is_admitted:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once"), True
        page = self._pages.get(request.path)
        if page is None:
            return problem(HTTPStatus.NOT_FOUND, f"there is {', '.join(self._pages)}"), request.has_body
        return await page(), request.has_body


@dataclass(frozen=True, slots=True)
class Request:
    """What may be asked: a path, with a body in the answer (GET) or without (HEAD)."""

    path: str
    has_body: bool


def parse(head: bytes) -> Request | Answer:
    """Return the request, or the refusal that it deserves."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return problem(HTTPStatus.BAD_REQUEST, "not an HTTP/1 request")
    if words[0] not in ("GET", "HEAD"):
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only")
    hosts = [value.strip() for name, _, value in (line.partition(":") for line in lines) if name.lower() == "host"]
    if len(hosts) != 1 or not is_local(hosts[0]):
        return problem(HTTPStatus.MISDIRECTED_REQUEST, "only by a loopback address")
    return Request(words[1].partition("?")[0], words[0] == "GET")


def is_local(host: str) -> bool:
    """Return whether a Host header names this machine's loopback."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    return (name if port.isdecimal() else host).lower() in LOCAL_HOSTS


def render(answer: Answer, *, has_body: bool) -> bytes:
    """Return the bytes of an HTTP/1.1 response that closes the connection."""
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (answer.body if has_body else b"")
