"""Backing: what stands behind a request, handed along in its scope: so that one application serves any cloud.

Building the routes and their validators takes seconds; what serves them differs from cloud to cloud.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from cloud.api.metrics import Metrics
from cloud.api.wire import App, Receive, Scope, Send
from cloud.services import Services

_KEY = "lineside"


@dataclass(frozen=True, slots=True)
class Backing:
    """The services, what is counted of requests, and how many live connections there are."""

    services: Services
    metrics: Metrics
    connections: Callable[[], int]


class Backed:
    """The innermost part of the frame: gives each request what stands behind it."""

    def __init__(self, app: App, backing: Backing) -> None:
        self._app = app
        self._backing = backing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        scope[_KEY] = self._backing
        await self._app(scope, receive, send)


def backing_of(connection: HTTPConnection) -> Backing:
    """Return what stands behind a request."""
    found: Backing = connection.scope[_KEY]
    return found
