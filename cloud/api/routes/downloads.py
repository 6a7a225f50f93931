"""GET /reports/{filename}, /exports/{filename}: files, for who may, or for who holds a signed link."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import SecurityScopes
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from cloud.api.deps import ServicesDep, caller, guest
from cloud.api.document import answers, refused_too_often
from cloud.api.limits import keep_within
from cloud.api.resource import Resource
from cloud.domain.api_key import Principal
from cloud.domain.download import DownloadKind
from cloud.domain.export import MEDIA_TYPES as EXPORT_TYPES
from cloud.domain.report import MEDIA_TYPES as REPORT_TYPES
from cloud.domain.scopes import Scope
from cloud.errors import Unauthorized
from cloud.services import Services

router = Resource(tags=["downloads"])
_PAGE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""A page of ours shows its own pictures and styles, and runs nothing."""
_PRIVATE = "private, no-store"
FileName = Annotated[str, Path(min_length=1, max_length=200)]
_BYTES = {"schema": {"type": "string", "format": "binary"}, "example": "time,device,value\n"}
_JSON: dict[str, Any] = {"schema": {}, "example": {"figures": {}}}


def _file(media_types: Collection[str]) -> dict[int | str, dict[str, Any]]:
    """Return what is documented of a file of one of these types."""
    names = [one.partition(";")[0] for one in media_types]
    content = {name: _JSON if name == "application/json" else _BYTES for name in names}
    described = {200: {"description": "The file.", "content": content}, 429: refused_too_often()}
    return answers("", 401, 403, 404, 422, 503) | described


Known = Annotated[Principal | None, Security(guest, scopes=[Scope.REPORTS_GENERATE])]


async def holder(
    request: Request,
    services: ServicesDep,
    _known: Known,
    expires: Annotated[int | None, Query(ge=0, lt=1 << 40, description="Of a signed link.")] = None,
    signature: Annotated[str | None, Query(max_length=64, pattern="^[0-9a-f]*$")] = None,
) -> None:
    """Let in who holds a signed link, or a credential with the scope; raise Unauthorized, Forbidden."""
    if signature is None or expires is None:
        await caller(SecurityScopes([Scope.REPORTS_GENERATE]), request)
        return
    path = request.scope["path"]
    is_open = await services.threads.run(
        lambda _: services.downloads.is_open(path, expires_s=expires, signature=signature)
    )
    if not is_open:
        raise Unauthorized("this link is over, or not one of ours", code="LINK_INVALID")


_LET_IN = [Depends(keep_within), Depends(holder)]


@router.get("/reports/{filename}", dependencies=_LET_IN, response_model=None, responses=_file(REPORT_TYPES.values()))
async def fetch_report(filename: FileName, services: ServicesDep) -> StreamingResponse:
    """Fetch a report; one that is a page is shown, all others are saved."""
    return await _sent(services, DownloadKind.REPORT, filename)


@router.get("/exports/{filename}", dependencies=_LET_IN, response_model=None, responses=_file(EXPORT_TYPES.values()))
async def fetch_export(filename: FileName, services: ServicesDep) -> StreamingResponse:
    """Fetch an export."""
    return await _sent(services, DownloadKind.EXPORT, filename)


async def _sent(services: Services, kind: DownloadKind, name: str) -> StreamingResponse:
    found = await run_in_threadpool(services.downloads.open, kind, name)
    download = found.download
    way = "inline" if download.media_type.startswith("text/html") else "attachment"
    headers = {
        "Content-Disposition": f'{way}; filename="{download.name}"',
        "Content-Length": str(download.size_bytes),
        "Content-Security-Policy": _PAGE_POLICY,
        "Cache-Control": _PRIVATE,
    }
    return StreamingResponse(found.pieces(), media_type=download.media_type, headers=headers)
