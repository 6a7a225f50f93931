"""GET /: who is here; a browser is sent on to a page for people."""

from fastapi import Request, Response
from pydantic import BaseModel
from starlette.responses import RedirectResponse

from cloud.api.aliases import CONSOLE
from cloud.api.console import is_built
from cloud.api.deps import ServicesDep
from cloud.api.document import answers
from cloud.api.resource import Resource

router = Resource(tags=["system"])
_EXAMPLE = {"name": "Lineside", "version": "0.1.0", "message": "Welcome to Lineside. The API is under /api/v1."}


class Welcome(BaseModel):
    """Name and version of this server."""

    name: str
    version: str
    message: str


def prefers_html(accept: str) -> bool:
    """Return whether a client names text/html before any JSON."""
    kinds = [part.partition(";")[0].strip() for part in accept.lower().split(",")]
    wanted = next((kind for kind in kinds if kind in ("text/html", "application/json")), "")
    return wanted == "text/html"


@router.get("/", summary="Welcome", responses=answers(_EXAMPLE), response_model=Welcome)
async def welcome(request: Request, services: ServicesDep) -> Welcome | Response:
    """Name and version as JSON; who prefers text/html, or comes by the console's port, is sent on to a page."""
    if request.scope.get("alias") == CONSOLE or prefers_html(request.headers.get("accept", "")):
        return RedirectResponse("/ui/" if is_built(services.console) else "/docs", 307)
    return Welcome(**(_EXAMPLE | {"version": services.version}))
