"""/webhooks, /admin/dlq and /notifications/test: for administrators; a target inside is refused and nothing is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.bus.outbox import Outbox
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.records.notices import add_notice
from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.receiver import Receiver

BOTH = pytest.mark.parametrize("prefix", ["/api/v1", "/api"])


@pytest_asyncio.fixture
async def inside(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    """Give a cloud whose webhooks may reach loopback."""
    async with running_cloud(template, tmp_path, webhooks={"allow_private": True}) as running:
        yield running


async def make(client: httpx.AsyncClient, url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    answer = await client.post("/api/v1/webhooks", json={"name": "test", "url": url, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def happen(cloud: Cloud, most_waiting: int = 100) -> None:
    with cloud.api.records.writing() as session:
        add_notice(session, NewNotice(NoticeKind.SCALING_EXECUTED, to_datetime(cloud.clock.now_us()), "it", {"n": 1}))
    Outbox(cloud.api.records, cloud.clock, most_waiting=most_waiting).follow()


@BOTH
async def test_a_webhook_is_made_shown_changed_and_deleted(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        made = await make(client, "https://93.184.216.34/hook", events=["alarm.raised"], severity="warning")
        assert made["secret"].startswith("whsec_")
        path = f"{prefix}/webhooks/{made['id']}"
        shown = (await client.get(path)).json()
        assert shown == {name: value for name, value in made.items() if name != "secret"}
        listed = await client.get(f"{prefix}/webhooks")
        assert (listed.json(), listed.headers["X-Total-Count"]) == ([shown], "1")
        changed = await client.put(path, json={"name": "other", "url": made["url"], "enabled": False})
        assert changed.json().items() >= {"name": "other", "enabled": False, "events": []}.items()
        rotated = (await client.post(f"{path}/rotate")).json()
        assert rotated["secret"] != made["secret"]
        assert (await client.delete(path)).status_code == 200
        gone = await client.get(path)
        assert (gone.status_code, gone.json()["error_code"]) == (404, "WEBHOOK_NOT_FOUND")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "http://user:pass@93.184.216.34/",
        "../../etc/passwd",
    ],
)
async def test_a_target_inside_is_refused_and_nothing_is_kept(cloud: Cloud, url: str) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        answer = await client.post("/api/v1/webhooks", json={"name": "bad", "url": url})
        body = answer.json()
        assert answer.status_code == 422
        assert body["error_code"] in ("FORBIDDEN_TARGET", "INVALID_TARGET")
        assert body["errors"][0]["field"] == "url"
        assert (await client.get("/api/v1/webhooks")).json() == []


@pytest.mark.parametrize(
    "more", [{"events": ["all"]}, {"severity": "loud"}, {"format": "xml"}, {"name": ""}, {"colour": "red"}, {"url": 7}]
)
async def test_fields_that_cannot_be_are_refused(cloud: Cloud, more: dict[str, object]) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        body = {"name": "bad", "url": "https://93.184.216.34/", **more}
        assert (await client.post("/api/webhooks", json=body)).status_code == 422
        assert (await client.get("/api/webhooks")).json() == []


@BOTH
async def test_a_test_is_sent_at_once_and_its_outcome_told(inside: Cloud, prefix: str) -> None:
    with Receiver(lambda: 418) as receiver:
        async with inside.client(Scope.ADMIN) as client:
            made = await make(client, receiver.url)
            told = (await client.post(f"{prefix}/webhooks/{made['id']}/test")).json()
        assert told.items() >= {"success": False, "status_code": 418, "error": "it answered 418"}.items()
        assert receiver.requests[0].json["event_type"] == "webhook.test"
        assert receiver.requests[0].is_signed_with(made["secret"])


@BOTH
async def test_deliveries_are_listed_and_sent_again(inside: Cloud, prefix: str) -> None:
    async with inside.client(Scope.ADMIN) as client:
        made = await make(client, "http://127.0.0.1:9/")
        happen(inside)
        path = f"{prefix}/webhooks/{made['id']}/deliveries"
        (delivery,) = (await client.get(path, params={"state": "pending"})).json()
        assert delivery["payload"]["event_type"] == "scaling.executed"
        again = await client.post(f"{path}/{delivery['id']}/redeliver")
        assert (again.status_code, again.json()["id"]) == (202, delivery["id"])
        other = await make(client, "http://127.0.0.1:9/other")
        foreign = await client.post(f"{prefix}/webhooks/{other['id']}/deliveries/{delivery['id']}/redeliver")
        assert (foreign.status_code, foreign.json()["error_code"]) == (404, "DELIVERY_NOT_FOUND")


@BOTH
async def test_dead_letters_are_listed_replayed_and_dropped(inside: Cloud, prefix: str) -> None:
    async with inside.client(Scope.ADMIN) as client:
        made = await make(client, "http://127.0.0.1:9/")
        for _ in range(2):
            happen(inside, most_waiting=0)
        first, second = (await client.get(f"{prefix}/admin/dlq")).json()
        assert (first["webhook_id"], first["payload"]["data"]) == (made["id"], {"n": 1})
        assert (await client.post(f"{prefix}/admin/dlq/{first['id']}/replay")).status_code == 202
        assert (await client.delete(f"{prefix}/admin/dlq/{second['id']}")).status_code == 200
        assert (await client.get(f"{prefix}/admin/dlq")).json() == []
        gone = await client.delete(f"{prefix}/admin/dlq/{second['id']}")
        assert (gone.status_code, gone.json()["error_code"]) == (404, "DEAD_LETTER_NOT_FOUND")


async def test_a_channel_of_the_settings_that_is_not_set_is_a_conflict(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        answer = await client.post("/api/notifications/test", json={"channel": "slack"})
        assert (answer.status_code, answer.json()["code"]) == (409, "NO_TARGET")
        assert (await client.post("/api/notifications/test", json={"channel": "fax"})).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("GET", "/webhooks/x"),
        ("GET", "/admin/dlq"),
        ("POST", "/admin/dlq/x/replay"),
        ("POST", "/notifications/test"),
    ],
)
async def test_nobody_but_administrators_sees_webhooks(cloud: Cloud, method: str, path: str) -> None:
    async with cloud.client(*(set(Scope) - {Scope.ADMIN})) as client:
        assert (await client.request(method, f"/api/v1{path}")).status_code == 403
