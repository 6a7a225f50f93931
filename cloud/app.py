"""The web application: the routes, their documents and the frame around every request."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from cloud.api.backing import Backed, Backing
from cloud.api.console import console
from cloud.api.document import complete
from cloud.api.errors import install_errors
from cloud.api.metrics import Metrics
from cloud.api.middleware import BodyLimit, Envelope, Hosts, Requests
from cloud.api.once import Once
from cloud.api.pages import pages
from cloud.api.resource import ANY_PATH
from cloud.api.v1 import UPLOADS, include_aliases, include_all, methods_without_ids
from cloud.api.wire import App
from cloud.live.door import LiveDoor
from cloud.live.hub import Hub
from cloud.services import Services

_TITLE = "Lineside API"
_FORM_BYTES = 64 * 1024
"""What a multipart form says around its file."""
_SUMMARY = "Readings, devices and gateways of a plant: nothing lost, nothing twice."


@dataclass(frozen=True, slots=True)
class Door:
    """What is let in: names in Host headers beside IP numbers, and the size of bodies and of uploads."""

    allowed_hosts: Collection[str]
    max_body_bytes: int
    docs: bool = True
    max_upload_bytes: int = 50 << 20


def bare_api(version: str) -> FastAPI:
    """Return the application without services, enough to print its document."""
    app = _fastapi(version)
    include_all(app)
    return app


@cache
def alias_api(version: str) -> FastAPI:
    """Return the application as it is under /api, for its document only; built once a process."""
    app = _fastapi(version)
    include_aliases(app)
    return app


@cache
def web(version: str, *, docs: bool) -> FastAPI:
    """Return the application that takes its services from each request's scope; built once a process."""
    app = bare_api(version)
    install_errors(app, methods_without_ids())
    if docs:
        app.include_router(pages(app, alias_api(version)))
    app.include_router(console())
    _build_routes(app)
    return app


def build_app(services: Services, metrics: Metrics, door: Door, hub: Hub) -> App:
    """Return the ASGI application: frame outside, routes inside."""
    backing = Backing(services, metrics, lambda: hub.connections)
    api = Backed(web(services.version, docs=door.docs), backing)
    largest = dict.fromkeys(UPLOADS, door.max_upload_bytes + _FORM_BYTES)
    live = LiveDoor(Envelope(Once(api), services.clock), hub)
    limited = BodyLimit(live, services.clock, max_bytes=door.max_body_bytes, larger=largest)

    def observe(method: str, handler: str, status: int, seconds: float) -> None:
        metrics.observe(method, handler, status, seconds)
        services.load.count(handler)
        services.collector.took(seconds)
        services.traffic.ended(method, handler, status, seconds)

    inner = Hosts(limited, services.clock, door.allowed_hosts)
    return Requests(inner, services.clock, services.traffic.begun, observe)


def _build_routes(app: FastAPI) -> None:
    """Build them now: routers that are included wait with it for the first request, which would wait a second."""
    nowhere = {"type": "http", "method": "GET", "path": "/-", "root_path": "", "headers": [], **ANY_PATH}
    for route in app.routes:
        route.matches(nowhere)


class _Documented(FastAPI):
    """Says in its document what the frame may answer, too."""

    def openapi(self) -> dict[str, Any]:
        """Return the document."""
        if self.openapi_schema is None:
            self.openapi_schema = super().openapi()
            complete(self.openapi_schema)
        return self.openapi_schema


def _fastapi(version: str) -> FastAPI:
    return _Documented(
        title=_TITLE,
        summary=_SUMMARY,
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )


def _operation_id(route: APIRoute) -> str:
    return route.name
