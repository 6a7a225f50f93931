"""GET /gateways: accounts in which every reading has a place."""

import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud


async def test_without_gateways_the_list_is_empty(cloud: Cloud) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        answer = await client.get("/api/v1/gateways")
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "0")


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_gateway_that_never_spoke_is_404(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        answer = await client.get(f"{prefix}/gateways/nobody")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "GATEWAY_NOT_FOUND")
