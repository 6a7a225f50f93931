"""Receiver: a real HTTP server on loopback that webhooks are sent to; it answers as it is told and keeps what came."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cloud.domain.signature import is_signed
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Request:
    """What came; headers with lower-case names."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Return the body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_with(self, secret: str) -> bool:
        """Return whether the signature is right."""
        stamp, signature = self.headers["x-lineside-timestamp"], self.headers["x-lineside-signature"]
        return is_signed(secret, int(stamp), self.body, signature)


class Receiver:
    """A context manager; answer: gives the status of each request."""

    def __init__(self, answer: Callable[[], int] = lambda: 200) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(self.path, headers, body))
                self.send_response(receiver.answer())
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Return the address of a hook."""
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    def wait_for(self, count: int) -> list[Request]:
        """Return what came once there is so much."""
        wait_until(lambda: len(self.requests) >= count)
        return self.requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
