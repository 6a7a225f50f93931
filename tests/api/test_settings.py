"""Settings over REST: read whole, changed in part, refused whole, and in effect."""

import pytest

from cloud.domain.scopes import Scope
from cloud.domain.setting import MAX_FREE, SECRET, SETTINGS
from cloud.records.audit import list_audit
from cloud.records.settings import setting_of
from tests.support.cloud import Cloud

DOCUMENTED: dict[str, dict[str, object]] = {
    "general": {"theme": "light", "timezone": "UTC"},
    "training": {"defaultTimeout": 300, "defaultModelType": "auto", "autoSaveModels": True},
    "notifications": {"emailEnabled": False, "slackEnabled": False},
    "data": {"autoCleanup": True, "retentionDays": 30},
}
CHANGE: dict[str, dict[str, object]] = {
    "training": {"defaultTimeout": 600},
    "notifications": {"emailEnabled": True, "emailAddress": "admin@example.com"},
}
WRONG: list[tuple[object, str]] = [
    ({"training": {"defaultTimeout": "600"}}, "training.defaultTimeout"),
    ({"training": {"defaultTimeout": 600.5}}, "training.defaultTimeout"),
    ({"training": {"defaultTimeout": True}}, "training.defaultTimeout"),
    ({"training": {"defaultTimeout": 0}}, "training.defaultTimeout"),
    ({"training": {"autoSaveModels": "yes"}}, "training.autoSaveModels"),
    ({"training": {"defaultModelType": "magic"}}, "training.defaultModelType"),
    ({"general": {"timezone": "Mars/Olympus"}}, "general.timezone"),
    ({"general": {"timezone": "../../etc/passwd"}}, "general.timezone"),
    ({"notifications": {"emailAddress": "nobody"}}, "notifications.emailAddress"),
    ({"general": {"appName": "a\u0000b"}}, "general.appName"),
    ({"secrets": {"x": 1}}, "secrets.x"),
    ({"general": {"bad name": 1}}, "general.bad name"),
    ({"general": {"mine": "x" * 1001}}, "general.mine"),
    ({"general": {"mine": None}}, "general.mine"),
    ({"general": {"mine": [1]}}, "general.mine"),
    ({"general": "light"}, "general"),
    ([], "body"),
]


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
async def test_the_documented_change_changes_what_it_names_and_nothing_else(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        before = (await client.get(f"{prefix}/settings")).json()
        answer = await client.put(f"{prefix}/settings", json=CHANGE)
        after = (await client.get(f"{prefix}/settings")).json()
    assert all(before[section].items() >= values.items() for section, values in DOCUMENTED.items())
    assert answer.json() == {
        "message": "Settings updated successfully",
        "updated_fields": ["training.defaultTimeout", "notifications.emailEnabled", "notifications.emailAddress"],
    }
    for section, values in CHANGE.items():
        before[section] |= values
    assert after == before


async def test_wrong_values_are_422_by_field_and_nothing_of_the_change_holds(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        before = (await client.get("/api/settings")).json()
        for body, field in WRONG:
            sent = {"general": {"theme": "dark"}} | body if isinstance(body, dict) and "general" not in body else body
            answer = await client.put("/api/settings", json=sent)
            assert answer.status_code == 422, body
            assert field in answer.json()["errors"][0]["field"]
        nan = await client.put(
            "/api/settings", content=b'{"general": {"x": NaN}}', headers={"Content-Type": "application/json"}
        )
        assert nan.status_code in (400, 422)
        assert (await client.get("/api/settings")).json() == before


async def test_a_known_section_keeps_keys_of_its_clients_but_not_without_bound(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        kept = await client.put("/api/settings", json={"general": {"myColumns": "a,b", "zoom": 1.5}})
        many = await client.put("/api/settings", json={"data": {f"k{number}": 1 for number in range(MAX_FREE)}})
        shown = (await client.get("/api/settings")).json()
    assert (kept.status_code, many.status_code) == (200, 422)
    assert shown["general"].items() >= {"myColumns": "a,b", "zoom": 1.5}.items()


async def test_a_secret_is_never_shown_and_stays_when_its_stars_come_back(cloud: Cloud) -> None:
    secret = "https://hooks.example.com/services/T0/B0/abc"  # noqa: S105 - of nobody
    async with cloud.client(Scope.ADMIN) as client:
        await client.put("/api/settings", json={"notifications": {"slackWebhookUrl": secret}})
        shown = (await client.get("/api/settings")).json()
        await client.put("/api/settings", json={"notifications": shown["notifications"]})
        activity = await client.get("/api/activity")
    assert shown["notifications"]["slackWebhookUrl"] == SECRET
    assert secret not in activity.text
    with cloud.api.records.reading() as session:
        assert setting_of(session, "notifications.slackWebhookUrl") == secret


async def test_a_change_is_in_the_audit_once_with_what_was_before(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        for _ in range(2):
            await client.put("/api/settings", json={"training": {"defaultTimeout": 600}})
    with cloud.api.records.reading() as session:
        found = list_audit(session, subject="training.defaultTimeout")
    assert [one.details for one in found] == [{"from": 300, "to": 600}]


async def test_who_may_read_the_system_reads_settings_and_may_not_change_them(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        assert (await client.get("/api/settings")).status_code == 200
        assert (await client.put("/api/settings", json=CHANGE)).status_code == 403
        known = (await client.get("/api/settings/known")).json()
    assert {one["key"] for one in known} == set(SETTINGS)
    assert all(one["description"].endswith(".") for one in known)


async def test_the_next_training_does_what_the_settings_say_where_it_says_nothing(cloud: Cloud) -> None:
    wanted = {"defaultTimeout": 7, "defaultModelType": "regression", "autoSaveModels": False}
    rows = "a,b\n" + "".join(f"{number},{number % 7}\n" for number in range(40))
    async with cloud.client(Scope.ADMIN) as client:
        file_id = (await client.post("/api/upload", files={"file": ("t.csv", rows, "text/csv")})).json()["file_id"]
        await client.put("/api/settings", json={"training": wanted})
        usual = await client.post("/api/train", json={"file_id": file_id})
        said = {"model_type": "auto", "save_model": True, "training_params": {"max_training_time": 20}}
        own = await client.post("/api/train", json={"file_id": file_id, **said})
    jobs = [cloud.api.services.jobs.get(answer.json()["job_id"]) for answer in (usual, own)]
    assert [job.limits.seconds for job in jobs] == [7, 20]
    assert [(job.parameters["task"], job.parameters["save"]) for job in jobs] == [("regression", False), ("", True)]
