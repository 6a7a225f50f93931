"""RestApi: what a reader of the REST API sees of a running cloud."""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from cloud.domain.scopes import Scope
from tests.support.cloud import CloudServer

YEARS_H = 24.0 * 365 * 10


class RestApi:
    """Asks `lineside-cloud serve` with a key that may read everything and send readings. A context manager."""

    def __init__(self, server: CloudServer) -> None:
        key = server.key(Scope.DATA_READ, Scope.DATA_INGEST, Scope.GATEWAYS_READ)
        self.http = httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=20)

    def get(self, path: str, **query: str | float) -> Any:  # noqa: ANN401 - JSON
        """Return what a path under /api/v1 answers, an empty object where it is an error."""
        answer = self.http.get(f"/api/v1{path}", params=query)
        return answer.json() if answer.is_success else {}

    def values(self, device: str, tag: str) -> list[Any]:
        """Return all values of a Tag in order of time."""
        found: list[Any] = self.get("/historical_data", device_id=device, metric=tag, hours=YEARS_H).get("values", [])
        return found

    def account(self, gateway: str) -> Mapping[str, int]:
        """Return where all readings of a gateway are."""
        found: Mapping[str, int] = self.get(f"/gateways/{gateway}").get("total", {})
        return found

    def metrics(self) -> dict[str, float]:
        """Return every sample of /metrics by its name with labels."""
        lines = self.http.get("/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
