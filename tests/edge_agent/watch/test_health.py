"""The responder on loopback answers what it has, refuses the rest, and is bounded."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest

from deploy.ports import free_port
from edge_agent.watch.health import MAX_CONNECTIONS, MAX_HEAD_BYTES, Answer, HealthServer


async def live() -> Answer:
    return Answer(HTTPStatus.OK, b'{"ok":true}')


@pytest.fixture
async def port() -> AsyncIterator[int]:
    chosen = free_port()
    task = asyncio.create_task(HealthServer(chosen, {"/health/live": live}).run())
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", chosen)
            except OSError:
                await asyncio.sleep(0)
                continue
            writer.close()
            break
    yield chosen
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def ask(port: int, request: bytes) -> tuple[int, str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(60):
        raw = await reader.read()
    writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode(), body


def request(path: str = "/health/live", *, method: str = "GET", host: str = "127.0.0.1") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


async def test_a_known_path_is_answered(port: int) -> None:
    status, head, body = await ask(port, request(host=f"localhost:{port}"))
    assert (status, body) == (200, b'{"ok":true}')
    assert "content-type: application/json" in head.lower()


async def test_head_has_the_length_and_no_body(port: int) -> None:
    status, head, body = await ask(port, request(method="HEAD"))
    assert (status, body) == (200, b"")
    assert "Content-Length: 11" in head


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (request("/nothing"), 404),
        (request(method="POST"), 405),
        (request(host="evil.example"), 421),
        (request(host="127.0.0.1.evil.example:80"), 421),
        (b"GET /health/live HTTP/1.1\r\n\r\n", 421),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"GET /" + b"x" * (2 * MAX_HEAD_BYTES) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    ],
)
async def test_everything_else_is_refused(port: int, sent: bytes, expected: int) -> None:
    assert (await ask(port, sent))[0] == expected


async def test_of_many_at_once_some_are_served_and_the_rest_are_refused(port: int) -> None:
    answers = await asyncio.gather(*(ask(port, request(host="[::1]")) for _ in range(80)))
    statuses = [status for status, _, _ in answers]
    assert statuses.count(200) >= MAX_CONNECTIONS
    assert set(statuses) <= {200, 503}


async def test_a_taken_port_is_an_error(port: int) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await HealthServer(port, {}).run()
