"""The pages that explain the API: Swagger UI and ReDoc with local assets, under a policy that lets nothing else in."""

from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from cloud.errors import NotFound

_ASSETS = "fastapi_offline"
"""The package whose static files these are; only its files are used."""
_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SWAGGER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lineside API</title>
<link rel="icon" href="/docs/assets/favicon.png"><link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/assets/start-swagger.js"></script>
</body></html>
"""
_REDOC = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lineside API</title>
<link rel="icon" href="/docs/assets/favicon.png"></head>
<body><div id="redoc"></div>
<script src="/docs/assets/redoc.standalone.js"></script><script src="/docs/assets/start-redoc.js"></script>
</body></html>
"""
_STARTS = {
    "start-swagger.js": (
        'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,'
        " presets: [SwaggerUIBundle.presets.apis]});\n"
    ),
    "start-redoc.js": (
        'Redoc.init("/openapi.json", {hideHostname: true, disableSearch: false}, document.getElementById("redoc"));\n'
    ),
}
_JSON = "application/json"
_CACHED = {"cache-control": "public, max-age=86400"}


def pages(app: FastAPI, aliases: FastAPI) -> APIRouter:
    """Return the routes of the documents and their pages; `aliases` knows the operations as they are under /api."""
    router = APIRouter(include_in_schema=False)
    directory = _directory()

    written, alias_written = _Written(app), _Written(aliases)

    @router.get("/openapi.json")
    def document() -> Response:  # in a thread: writing it takes seconds
        return Response(written.content(), media_type=_JSON)

    @router.get("/api/openapi.json")
    def alias_document() -> Response:
        return Response(alias_written.content(), media_type=_JSON)

    @router.get("/docs")
    async def swagger() -> Response:
        return HTMLResponse(_SWAGGER, headers={"content-security-policy": _POLICY})

    @router.get("/redoc")
    async def redoc() -> Response:
        return HTMLResponse(_REDOC, headers={"content-security-policy": _POLICY})

    @router.get("/api/docs")
    @router.get("/api/v1/docs")
    async def elsewhere() -> Response:
        return RedirectResponse("/docs", 307)

    @router.get("/docs/assets/{name}")
    async def asset(name: str) -> Response:
        if name in _STARTS:
            return Response(_STARTS[name], headers=_CACHED, media_type="text/javascript")
        if name not in _FILES:
            raise NotFound(f"there is no asset {name!r}")
        return FileResponse(directory / name, headers=_CACHED)

    return router


class _Written:
    """The document of an application as JSON, written when it is first asked for, by one thread."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._lock = Lock()
        self._content = b""

    def content(self) -> bytes:
        """Return it; any thread."""
        with self._lock:
            if not self._content:
                self._content = bytes(JSONResponse(self._app.openapi()).body)
        return self._content


def _directory() -> Path:
    spec = find_spec(_ASSETS)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0], "static") if places else Path()
