"""GET /packages: signed metadata and model packages, as a TUF client on a gateway asks for them."""

import hashlib
from typing import Annotated

from fastapi import Header, Response
from starlette.responses import FileResponse

from cloud.api.deps import ModelReader, ServicesDep
from cloud.api.document import Responses, answers
from cloud.api.resource import Resource

router = Resource(prefix="/packages", tags=["packages"])
_METADATA = {"signatures": [{"keyid": "4f1c...", "sig": "9a0e..."}], "signed": {"_type": "timestamp", "version": 7}}
_FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}


def _package_answers() -> Responses:
    documented = answers(None, 401, 403, 404, 422, 503)
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}, "example": "LSP1..."}}
    return documented | {200: {"content": content, "description": "The package, whole or the range asked for"}}


@router.get("/metadata/{file}", summary="Get metadata", responses=answers(_METADATA, 401, 403, 404, 422, 503))
async def get_metadata(
    file: str,
    _caller: ModelReader,
    services: ServicesDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return a file of TUF metadata, such as `timestamp.json` or `2.root.json`; 404 where there is no such one."""
    data = await services.threads.run(lambda _: services.packages.metadata(file))
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"etag": etag})
    return Response(data, media_type="application/json", headers={"etag": etag})


@router.get("/targets/{path:path}", summary="Get a package", responses=_package_answers(), response_class=FileResponse)
async def get_target(path: str, _caller: ModelReader, services: ServicesDep) -> FileResponse:
    """Return a package by `NAME/SHA256.VERSION.lsp`, whole or by range; its content never changes."""
    found = await services.threads.run(lambda _: services.packages.target(path))
    return FileResponse(found, media_type="application/octet-stream", headers=_FOR_EVER)
