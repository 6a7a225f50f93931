"""The operator console: its built files under /ui/, one page for all of its routes, a policy that lets nothing else in.

Nothing here asks who calls: the files are the same for everybody, and what they show they ask the API for.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cloud.api.deps import ServicesDep
from cloud.errors import NotFound

PAGE = "index.html"
_METHODS = ["GET", "HEAD"]
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What is served; whatever else lies in the folder is not."""
_HASHED = "assets"
"""The folder of files whose names change with their content."""
_FOR_EVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "script-src-attr 'none'"
)
_FRAME = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "vary": "Accept-Encoding",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lineside</title></head>
<body><h1>The console is not built</h1>
<p>Run <code>make console</code> in the checkout that this server runs from, then load this page again.
An installed wheel carries the console. The API is here all the same: <a href="/docs">its documentation</a>.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    """What one answer carries; encoding: gzip, or none."""

    content: bytes
    kind: str
    encoding: str
    caching: str


def is_built(directory: Path) -> bool:
    """Return whether a console was built into this folder."""
    return (directory / PAGE).is_file()


def console() -> APIRouter:
    """Return the routes of the console; its folder is `services.console`."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/ui", methods=_METHODS)
    async def beside() -> Response:
        return RedirectResponse("/ui/", 308)

    @router.api_route("/ui/{path:path}", methods=_METHODS)
    def console_file(path: str, request: Request, services: ServicesDep) -> Response:  # in a thread: it reads files
        if not is_built(services.console):
            return HTMLResponse(_NOT_BUILT, 404, _FRAME)
        found = _find(services.console, path, takes_gzip=_takes_gzip(request.headers.get("accept-encoding", "")))
        return _answer(found, request)

    return router


def _find(directory: Path, path: str, *, takes_gzip: bool) -> _File:
    """Return the file at a path, the page for a route of the console; raise NotFound for a file that is not there."""
    parts = path.split("/")
    if all(map(_NAME.fullmatch, parts)) and (directory / path).is_file():
        return _read(directory / path, takes_gzip=takes_gzip, is_hashed=parts[0] == _HASHED)
    is_file_name = parts[0] == _HASHED or (len(parts) == 1 and "." in path)
    if is_file_name or any(part.startswith(".") for part in parts):
        raise NotFound(f"the console has no file {path!r}")
    return _read(directory / PAGE, takes_gzip=takes_gzip, is_hashed=False)


def _read(path: Path, *, takes_gzip: bool, is_hashed: bool) -> _File:
    kind = _TYPES.get(path.suffix)
    if kind is None:
        raise NotFound(f"the console has no file {path.name!r}")
    caching = _FOR_EVER if is_hashed else _ASK_AGAIN
    packed = path.with_name(f"{path.name}.gz")
    if takes_gzip and packed.is_file():
        return _File(packed.read_bytes(), kind, "gzip", caching)
    return _File(path.read_bytes(), kind, "", caching)


def _takes_gzip(accepted: str) -> bool:
    """Return whether gzip is among the encodings that a client takes, and not refused with q=0."""
    for one in accepted.lower().split(","):
        name, _, weight = one.replace(" ", "").partition(";")
        if name in ("gzip", "*"):
            return not re.fullmatch(r"q=0(\.0*)?", weight)
    return False


def _answer(found: _File, request: Request) -> Response:
    tag = f'"{sha256(found.content).hexdigest()[:32]}"'
    headers = {**_FRAME, "etag": tag, "cache-control": found.caching}
    if found.encoding:
        headers["content-encoding"] = found.encoding
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    headers |= {"content-type": found.kind, "content-length": str(len(found.content))}
    return Response(b"" if request.method == "HEAD" else found.content, headers=headers)
