"""/alerts: the documents' shape, what operators do with alarms, and what they may not."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.clock import SystemClock
from cloud.domain.scopes import Scope
from cloud.domain.times import to_text
from cloud.operations.alarm_follower import AlarmFollower
from cloud.operations.gateway_events import GatewayEvents
from cloud.storage.chunks.database import Database
from protocols.delivery import State
from tests.support.alarms import anomaly, closed, happened, opened
from tests.support.cloud import Cloud, Template, arrival, running_cloud
from tests.support.cloud_clock import START_US
from tests.support.ingest import GATEWAY, Desk

DOCUMENTED = {
    "id": str,
    "device_id": str,
    "rule_name": str,
    "severity": str,
    "message": str,
    "timestamp": str,
    "acknowledged": bool,
    "resolved": bool,
    "value": float,
    "metadata": dict,
}


def three_alarms(readings: Path) -> None:
    """Write an anomaly that is open, one that is over, and lost readings of the gateway."""
    desk = Desk(readings)
    desk.state(State(online=True, epoch=7, version="1"))
    desk.batches(
        opened(1),
        opened(2, anomaly("e-2", device="pump-2", at_s=10)),
        closed(3, anomaly("e-2", device="pump-2", at_s=20)),
        happened(4, "readings_lost_before_the_buffer", at_s=30),
    )
    desk.database.close()


def follow(cloud: Cloud) -> None:
    events = GatewayEvents(Database(cloud.settings.readings_path, read_only=True))
    while AlarmFollower(cloud.api.records, events).follow():
        pass
    events.close()


@pytest_asyncio.fixture
async def plant(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    """Give a cloud with three alarms."""
    async with running_cloud(template, tmp_path, prepare=three_alarms) as cloud:
        follow(cloud)
        for device in ("pump-1", "pump-2"):
            await cloud.write(arrival(device=device, source=GATEWAY, time_us=[cloud.clock.now_us()], value=[1.0]))
        yield cloud


@pytest_asyncio.fixture
async def operator(plant: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that may read and change alarms."""
    async with plant.client(Scope.ALARMS_READ, Scope.ALARMS_WRITE, Scope.DATA_READ) as client:
        yield client


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 of any type
    answer = await client.get("/api/v1/alerts", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def the_open_one(client: httpx.AsyncClient) -> dict[str, Any]:
    (alert,) = await listed(client, state="unack_active")
    return alert


async def do(client: httpx.AsyncClient, alert: dict[str, Any], what: str, **body: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post(f"/api/v1/alerts/{alert['id']}/{what}", json=body or None)


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_an_alert_has_the_documented_fields_and_says_what_was_found(
    operator: httpx.AsyncClient, prefix: str
) -> None:
    alerts = (await operator.get(f"{prefix}/alerts")).json()
    alert = alerts[-1]
    assert {name: type(alert[name]) for name in DOCUMENTED} == DOCUMENTED
    assert alert["message"] == (
        "vibration of pump-1 is unlike its normal behaviour (score 0.93, 71 % vibration, 18 % pressure)"
    )
    assert (alert["type"], alert["channel"], alert["state"]) == ("anomaly", "vibration", "unack_active")
    assert alert["shares"][0] == {"channel": "vibration", "share": 0.71}
    assert (alert["onset_at"], alert["raised_at"]) == (to_text(START_US - 1_000_000), to_text(START_US))
    assert (alert["cleared_at"], alert["occurrences"], alert["stale"]) == (None, 1, False)


async def test_the_rate_counts_each_alert_in_the_hour_in_which_it_was_raised_first(
    plant: Cloud, operator: httpx.AsyncClient
) -> None:
    hourly, hour_us = plant.api.services.alarms.hourly, 3_600_000_000
    after_us = START_US + hour_us + 5_000_000  # the three were raised 0, 10 and 30 s after the start
    assert hourly(after_us, hours=3) == [0, 1, 2]
    assert hourly(after_us, hours=1) == [2]
    assert hourly(START_US - 24 * hour_us, hours=2) == [0, 3]
    plant.clock.ahead_s = (START_US - SystemClock().now_us()) / 1e6 + 5400
    told = (await operator.get("/api/v1/alerts/rate", params={"hours": 3})).json()
    assert (told["counts"], told["total"]) == ([0, 3, 0], 3)
    assert datetime.fromisoformat(told["to"]) - datetime.fromisoformat(told["from"]) == timedelta(hours=3)
    assert len((await operator.get("/api/alerts/rate")).json()["counts"]) == 24


@pytest.mark.parametrize("hours", [0, 745, "many"])
async def test_the_rate_has_bounds(operator: httpx.AsyncClient, hours: object) -> None:
    answer = await operator.get("/api/v1/alerts/rate", params={"hours": str(hours)})
    assert answer.status_code == 422
    assert "hours" in answer.text


async def test_alerts_come_newest_first_by_pages(operator: httpx.AsyncClient) -> None:
    first = await operator.get("/api/v1/alerts", params={"limit": 2})
    assert [one["device_id"] for one in first.json()] == [GATEWAY, "pump-2"]
    assert first.headers["X-Total-Count"] == "3"
    second = await operator.get(first.links["next"]["url"])
    assert [one["device_id"] for one in second.json()] == ["pump-1"]
    assert "next" not in second.links


@pytest.mark.parametrize(
    ("query", "devices"),
    [
        ({"device_id": "pump-2"}, ["pump-2"]),
        ({"state": "unack_cleared"}, [GATEWAY, "pump-2"]),
        ({"state": ["unack_cleared", "unack_active"]}, [GATEWAY, "pump-2", "pump-1"]),
        ({"severity": "critical"}, [GATEWAY]),
        ({"severity": "info"}, []),
        ({"resolved": "false"}, ["pump-1"]),
        ({"acknowledged": "true"}, []),
        ({"acknowledged": "false", "severity": "warning"}, ["pump-2", "pump-1"]),
        ({"from": to_text(START_US + 10_000_000)}, [GATEWAY, "pump-2"]),
        ({"to": to_text(START_US + 10_000_000)}, ["pump-1"]),
    ],
)
async def test_alerts_are_chosen_by_what_is_asked(
    operator: httpx.AsyncClient, query: dict[str, Any], devices: list[str]
) -> None:
    assert [one["device_id"] for one in await listed(operator, **query)] == devices


@pytest.mark.parametrize(
    "query", [{"state": "sleepy"}, {"severity": "high"}, {"limit": 0}, {"from": "2026-01-01T00:00:00"}, {"to": "soon"}]
)
async def test_a_question_that_cannot_be_is_422_and_names_the_field(
    operator: httpx.AsyncClient, query: dict[str, Any]
) -> None:
    answer = await operator.get("/api/v1/alerts", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] in query


async def test_alerts_of_a_device_that_never_was_are_404(operator: httpx.AsyncClient) -> None:
    answer = await operator.get("/api/v1/alerts", params={"device_id": "nobody"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "DEVICE_NOT_FOUND")


async def test_the_first_operator_who_acknowledged_is_kept(plant: Cloud, operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    path = f"/api/alerts/acknowledge/{alert['id']}"
    first = (await operator.post(path)).json()
    async with plant.client(Scope.ALARMS_WRITE) as other:
        second = (await other.post(path)).json()
    assert first["message"] == "Alert acknowledged"
    assert first["alert"] == second["alert"]
    assert (first["alert"]["acknowledged"], first["alert"]["state"]) == (True, "ack_active")
    assert first["alert"]["acknowledged_by"].startswith("key:")


async def test_many_are_acknowledged_together_or_none(operator: httpx.AsyncClient) -> None:
    ids = [one["id"] for one in await listed(operator)]
    refused = await operator.post("/api/v1/alerts/acknowledge", json={"ids": [*ids, "nothing"]})
    assert (refused.status_code, refused.json()["error"]["details"]["ids"]) == (404, ["nothing"])
    assert await listed(operator, acknowledged="true") == []
    done = await operator.post("/api/v1/alerts/acknowledge", json={"ids": ids, "comment": "shift 2"})
    assert (done.status_code, len(done.json()["alerts"])) == (200, 3)
    assert {one["state"] for one in await listed(operator)} == {"normal", "ack_active"}
    story = (await operator.get(f"/api/v1/alerts/{ids[0]}")).json()
    assert [one["text"] for one in story["comments"]] == ["shift 2"]


async def test_a_shelved_alert_comes_back_by_the_clock(plant: Cloud, operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    shelved = (await do(operator, alert, "shelve", for_s=900, comment="known")).json()
    assert (shelved["state"], shelved["shelved_by"][:4]) == ("shelved", "key:")
    plant.clock.ahead_s += 890
    plant.api.services.alarms.end_shelves()
    assert (await listed(operator, state="shelved"))[0]["id"] == alert["id"]
    plant.clock.ahead_s += 11
    plant.api.services.alarms.end_shelves()
    assert (await the_open_one(operator))["shelved_until"] is None


async def test_a_shelved_alert_can_be_brought_back_before(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    await do(operator, alert, "shelve", for_s=900, one_shot=True)
    assert (await do(operator, alert, "unshelve")).json()["state"] == "unack_active"


@pytest.mark.parametrize("body", [{"for_s": 59}, {"for_s": 43_201}, {}, {"for_s": "long"}])
async def test_a_shelf_without_a_proper_end_is_422(operator: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await do(operator, await the_open_one(operator), "shelve", **body)
    assert answer.status_code == 422
    assert (await the_open_one(operator))["state"] == "unack_active"


async def test_an_alert_is_out_of_service_until_it_is_brought_back(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    assert (await do(operator, alert, "out-of-service", comment="repair")).json()["state"] == "out_of_service"
    assert (await do(operator, alert, "shelve", for_s=60)).status_code == 409
    assert (await do(operator, alert, "return-to-service")).json()["state"] == "unack_active"


async def test_a_cleared_alert_is_over_and_can_be_shelved_no_more(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    cleared = (await do(operator, alert, "clear", comment="was a test")).json()
    assert (cleared["state"], cleared["resolved"], cleared["acknowledged"]) == ("normal", True, True)
    refused = await do(operator, alert, "shelve", for_s=60)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "ALARM_STATE")


async def test_comments_hands_and_history_stand_in_the_story(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    await do(operator, alert, "assign", to="maintenance")
    story = (await do(operator, alert, "comments", comment="bearing is warm")).json()
    assert [one["text"] for one in story["comments"]] == ["bearing is warm"]
    assert story["assigned_to"] == "maintenance"
    assert [one["action"] for one in story["history"]] == ["alarm.raise", "alarm.assign", "alarm.comment"]
    assert (await do(operator, alert, "comments", comment="")).status_code == 422
    assert (await do(operator, alert, "comments", comment=" ")).status_code == 422
    assert (await do(operator, alert, "comments", comment="x" * 2001)).status_code == 422


async def test_a_label_becomes_a_span_to_learn_from(operator: httpx.AsyncClient) -> None:
    (alert,) = await listed(operator, device_id="pump-2")
    judged = await do(operator, alert, "label", verdict="false_alarm", note="start-up")
    assert judged.json()["label"] == "false_alarm"
    (label,) = (await operator.get("/api/v1/labels", params={"device_id": "pump-2"})).json()
    assert (label["from"], label["to"]) == (to_text(START_US + 9_000_000), to_text(START_US + 20_000_000))
    assert (label["verdict"], label["alarm_id"], label["note"]) == ("false_alarm", alert["id"], "start-up")
    await do(operator, alert, "label", verdict="true_fault", kind="bearing")
    (label,) = (await operator.get("/api/v1/labels")).json()
    assert (label["verdict"], label["kind"]) == ("true_fault", "bearing")


async def test_an_alert_of_a_gateway_is_no_time_of_a_device(operator: httpx.AsyncClient) -> None:
    (alert,) = await listed(operator, severity="critical")
    answer = await do(operator, alert, "label", verdict="false_alarm")
    assert (answer.status_code, answer.json()["error_code"]) == (409, "NO_DEVICE")


@pytest.mark.parametrize("what", ["acknowledge", "unshelve", "clear", "return-to-service", "out-of-service"])
async def test_an_alert_that_is_not_there_is_404(operator: httpx.AsyncClient, what: str) -> None:
    for answer in (await operator.post(f"/api/v1/alerts/x/{what}"), await operator.get("/api/v1/alerts/x")):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "ALARM_NOT_FOUND")


async def test_alerts_of_a_gateway_that_went_away_stay_and_are_stale(template: Template, tmp_path: Path) -> None:
    def went_away(readings: Path) -> None:
        three_alarms(readings)
        desk = Desk(readings)
        desk.state(State(online=False, epoch=7, version="1"))
        desk.database.close()

    async with running_cloud(template, tmp_path, prepare=went_away) as cloud, cloud.client(Scope.ADMIN) as client:
        follow(cloud)
        alerts = await listed(client)
        assert [(one["stale"], one["state"]) for one in alerts] == [
            (True, "unack_cleared"),
            (True, "unack_cleared"),
            (True, "unack_active"),
        ]


async def test_a_device_is_as_bad_as_its_worst_active_alarm_in_sight(plant: Cloud, operator: httpx.AsyncClient) -> None:
    async def statuses() -> dict[str, str]:
        return {one["device_id"]: one["status"] for one in (await operator.get("/api/v1/devices")).json()}

    assert await statuses() == {"pump-1": "warning", "pump-2": "normal"}
    await do(operator, await the_open_one(operator), "shelve", for_s=60)
    assert (await statuses())["pump-1"] == "normal"
    plant.clock.ahead_s += 30
    assert (await operator.get("/api/v1/devices/pump-1")).json()["status"] == "normal"


async def test_metrics_count_alarms_by_state_and_severity(plant: Cloud) -> None:
    async with plant.client() as client:
        text = (await client.get("/metrics")).text
    assert 'lineside_alarms{outcome="unack_active_warning"} 1.0' in text
    assert 'lineside_alarms{outcome="unack_cleared_critical"} 1.0' in text
    assert "lineside_alarms_events_waiting 0.0" in text
    assert "lineside_alarms_events_unreadable_total 0.0" in text


async def bulk(client: httpx.AsyncClient, action: str, ids: list[str], **more: Any) -> httpx.Response:  # noqa: ANN401
    return await client.post("/api/v1/alerts/bulk", json={"action": action, "ids": ids, **more})


async def test_many_are_changed_together_or_none(operator: httpx.AsyncClient) -> None:
    ids = [one["id"] for one in await listed(operator)]
    refused = await bulk(operator, "assign", [*ids, "nothing"], to="bob")
    assert (refused.status_code, refused.json()["error_code"]) == (404, "ALARM_NOT_FOUND")
    assert await listed(operator, assigned_to="bob") == []
    done = (await bulk(operator, "assign", ids, to="bob")).json()
    assert (done["changed"], done["refused"]) == (3, 0)
    assert [one["id"] for one in await listed(operator, assigned_to="bob")] == ids


async def test_as_many_as_can_be_are_changed_and_the_rest_says_why_not(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    over = (await listed(operator, device_id="pump-2"))[0]
    await do(operator, over, "clear")
    answer = await bulk(operator, "shelve", [over["id"], "nothing", alert["id"]], for_s=60, partial=True)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [(one["ok"], one["code"]) for one in results] == [
        (False, "ALARM_STATE"),
        (False, "ALARM_NOT_FOUND"),
        (True, None),
    ]
    assert results[2]["alert"]["state"] == "shelved"
    assert [one["id"] for one in await listed(operator, state="shelved")] == [alert["id"]]


async def test_everything_that_is_done_with_one_is_done_with_many(operator: httpx.AsyncClient) -> None:
    alert = await the_open_one(operator)
    for action, state in (
        ("out_of_service", "out_of_service"),
        ("return_to_service", "unack_active"),
        ("unshelve", "unack_active"),
        ("acknowledge", "ack_active"),
        ("clear", "normal"),
    ):
        done = (await bulk(operator, action, [alert["id"]])).json()
        assert [one["alert"]["state"] for one in done["results"]] == [state]


BAD_BULK: tuple[dict[str, Any], ...] = (
    {"action": "burn", "ids": ["a"]},
    {"action": "clear", "ids": []},
    {"action": "clear"},
    {"action": "shelve", "ids": ["a"]},
    {"action": "shelve", "ids": ["a"], "for_s": 1},
    {"action": "assign", "ids": ["a"]},
    {"action": "clear", "ids": ["a"] * 1001},
    {"action": "clear", "ids": ["a"], "colour": "red"},
)


async def test_a_bulk_change_that_cannot_be_is_422(operator: httpx.AsyncClient) -> None:
    for body in BAD_BULK:
        answer = await operator.post("/api/v1/alerts/bulk", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (422, "INVALID_PARAMETERS"), body
