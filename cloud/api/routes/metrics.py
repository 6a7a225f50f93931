"""GET /metrics: figures for Prometheus."""

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from cloud.api.deps import Guest, ServicesDep
from cloud.api.document import answers
from cloud.api.metrics import CONTENT_TYPE, Figure, Metrics
from cloud.errors import Unauthorized

router = APIRouter(tags=["system"])
_EXAMPLE = 'http_requests_total{method="GET",handler="/health",status="200"} 42.0'


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    responses=answers(_EXAMPLE, 401) | {200: {"content": {"text/plain": {"example": _EXAMPLE}}}},
    response_class=PlainTextResponse,
)
async def metrics(request: Request, services: ServicesDep, guest: Guest) -> Response:
    """Open by default, as scrapers on a plant network expect; `metrics_require_key` asks for any key."""
    if services.metrics_require_key and guest is None:
        raise Unauthorized("the metrics need an API key here", code="MISSING_API_KEY")
    shown: Metrics = request.app.state.metrics
    body = shown.render(Figure(*figure) for figure in await services.figures())
    return Response(body, headers={"content-type": CONTENT_TYPE})
