"""PackageServer: a real package repository behind a small HTTP server on loopback that can be told to misbehave."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from cloud.fleet.repository import PackageRepository
from deploy.ports import free_port
from tests.support.cloud_clock import HandClock

METADATA, TARGETS = "/api/v1/packages/metadata/", "/api/v1/packages/targets/"
KEY = "key-of-gw-1"


@dataclass(slots=True)
class Mischief:
    """What the server does to its answers: change the bytes, promise more than it sends, answer a status, say no more.

    change: given the path and the bytes; cut: bytes that the answer breaks off after; status: instead of 200, by path.
    """

    change: Callable[[str, bytes], bytes] = lambda _, data: data
    cut: int | None = None
    status: Callable[[str], int] = lambda _: 200
    silence: Event = field(default_factory=Event)


class PackageServer:
    """Serves what `repository` signed; a context manager. The port stays the same over stops and starts."""

    def __init__(self, directory: Path, clock: HandClock | None = None) -> None:
        self.directory = directory
        self.clock = clock or HandClock(time.time_ns() // 1000)
        self.repository = PackageRepository(directory / "repository", self.clock)
        self.repository.create(directory / "offline")
        self.root = directory / "root.json"
        self.root.write_bytes(self.repository.root())
        self.mischief = Mischief()
        self.asked: list[str] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Serve from now on."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Be gone."""
        server, self._server = self._server, None
        self.mischief.silence.set()
        if server is not None:
            server.shutdown()
            server.server_close()

    def metadata(self, name: str) -> Path:
        """Return where a file of metadata lies."""
        return self.directory / "repository" / "metadata" / name

    def answer(self, path: str, key: str | None) -> tuple[int, bytes]:
        """Return the status and the body for a path."""
        self.asked.append(path)
        if key != KEY:
            return 401, b"who are you?"
        place = self.directory / "repository"
        for prefix, folder in ((METADATA, "metadata"), (TARGETS, "targets")):
            file = place / folder / path.removeprefix(prefix)
            if path.startswith(prefix) and file.is_file():
                return self.mischief.status(path), self.mischief.change(path, file.read_bytes())
        return 404, b"there is none"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.path, self.headers.get("X-API-Key"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.mischief.cut])
                self.wfile.flush()
                if outer.mischief.cut is not None:
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
