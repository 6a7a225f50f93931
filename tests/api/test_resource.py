"""Resources are found by their words, under every mount, and never by another's."""

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from cloud.api.resource import ANY_PATH, Resource
from cloud.api.v1 import RESOURCES
from cloud.app import bare_api


def asked(path: str, method: str = "GET") -> dict[str, object]:
    """Return the scope of a request."""
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "query_string": b""}


def devices() -> Resource:
    """Return a resource with one list and one row."""
    resource = Resource(prefix="/devices")

    async def nothing() -> None:
        """Do nothing."""

    resource.add_api_route("", nothing, methods=["GET"])
    resource.add_api_route("/{device_id}", nothing, methods=["GET"])
    return resource


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1"])
@pytest.mark.parametrize("path", ["/devices", "/devices/pump-1"])
def test_its_paths_are_found_under_every_mount(prefix: str, path: str) -> None:
    app = FastAPI()
    app.include_router(devices(), prefix=prefix)
    assert [route.matches(asked(prefix + path))[0] for route in app.routes][-1] is Match.FULL


@pytest.mark.parametrize("path", ["/", "/devicesque", "/alerts/devices", "/api/v1/alerts/x/devices"])
def test_paths_of_others_are_not_its_own(path: str) -> None:
    assert devices().matches(asked(path))[0] is Match.NONE


def test_a_wrong_method_is_still_told_apart_from_a_wrong_path() -> None:
    app = FastAPI()
    app.include_router(devices())
    assert [route.matches(asked("/devices", "DELETE"))[0] for route in app.routes][-1] is Match.PARTIAL


def test_a_scope_for_any_path_reaches_the_routes() -> None:
    app = FastAPI()
    app.include_router(devices())
    assert [route.matches(asked("/devices") | ANY_PATH)[0] for route in app.routes][-1] is Match.FULL


def test_a_path_without_a_word_of_its_own_is_refused() -> None:
    resource = Resource()

    async def nothing() -> None:
        """Do nothing."""

    resource.add_api_route("/{anything}", nothing)
    with pytest.raises(ValueError, match="no word of its own"):
        resource.matches(asked("/x"))


def test_every_resource_of_the_application_is_one() -> None:
    assert all(isinstance(router, Resource) for router in RESOURCES)
    assert bare_api("1").openapi()["paths"]
