"""GET /metrics: figures for Prometheus."""

from fastapi import Request, Response
from starlette.responses import PlainTextResponse

from cloud.api.backing import backing_of
from cloud.api.deps import Guest, ServicesDep, SystemReader
from cloud.api.document import NEEDS_NOBODY, answers
from cloud.api.limits import limited
from cloud.api.metrics import CONTENT_TYPE
from cloud.api.resource import Resource
from cloud.errors import Unauthorized
from cloud.services import Services

router = Resource(tags=["system"])
scrape = Resource(tags=["system"])
"""Under the prefixes, where a document asks for a credential."""
_EXAMPLE = 'http_requests_total{method="GET",handler="/health",status="200"} 42.0'


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    responses=answers(_EXAMPLE, 401) | {200: {"content": {"text/plain": {"example": _EXAMPLE}}}},
    response_class=PlainTextResponse,
    openapi_extra=NEEDS_NOBODY,
)
async def metrics(request: Request, services: ServicesDep, guest: Guest) -> Response:
    """Open by default, as scrapers on a plant network expect; `metrics_require_key` asks for any key."""
    if services.metrics_require_key and guest is None:
        raise Unauthorized("the metrics need an API key here", code="MISSING_API_KEY")
    return await _rendered(request, services)


@scrape.get(
    "/metrics",
    summary="Figures for Prometheus, with a credential",
    responses=answers(_EXAMPLE, 401, 403, 503) | {200: {"content": {"text/plain": {"example": _EXAMPLE}}}},
    response_class=PlainTextResponse,
    dependencies=[limited("10/minute")],
)
async def metrics_with_credential(request: Request, services: ServicesDep, _caller: SystemReader) -> Response:
    """Show the same figures as at the root, to callers who may read the system."""
    return await _rendered(request, services)


async def _rendered(request: Request, services: Services) -> Response:
    return Response(
        backing_of(request).metrics.render(await services.figures()), headers={"content-type": CONTENT_TYPE}
    )
