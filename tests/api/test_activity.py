"""The activity log: the audit as people read it, by type, time and page."""

from datetime import timedelta

from cloud.domain.audit import AuditEntry
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.records.audit import add_audit
from tests.support.cloud import Cloud

ACTIONS = {
    "dataset.add": "upload",
    "training.request": "training",
    "model.add": "training",
    "model.alias": "deployment",
    "rollout.start": "deployment",
    "prediction.run": "prediction",
    "user.create": "access",
    "alarm.acknowledge": "alarm",
    "model.archive": "model",
    "dataset.delete": "dataset",
    "something_new.happen": "something_new",
}


def write(cloud: Cloud, *actions: str) -> None:
    start = to_datetime(cloud.clock.now_us())
    with cloud.api.records.writing() as session:
        for index, action in enumerate(actions):
            at = start + timedelta(seconds=index)
            add_audit(session, AuditEntry(at, "user:alice", action, "pump", {"name": "pump data"}))


async def test_each_action_is_of_one_type_which_finds_it_and_nothing_else(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        write(cloud, *ACTIONS)
        for kind in set(ACTIONS.values()) - {"access"}:
            answer = (await client.get(f"/api/activity?type={kind}")).json()
            assert answer["total"] == len([one for one in ACTIONS.values() if one == kind]), kind
            assert {one["type"] for one in answer["activities"]} == {kind}


async def test_it_answers_as_documented_the_newest_first(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        write(cloud, "dataset.add", "unheard_of.thing")
        answer = await client.get("/api/activity?limit=2")
    body = answer.json()
    newest, upload = body["activities"]
    assert (body["limit"], body["total"], answer.headers["X-Total-Count"]) == (2, 3, "3")
    assert (upload["type"], upload["user"], upload["message"]) == ("upload", "alice", "Dataset pump data was uploaded")
    assert upload["id"].startswith("act_")
    assert upload["details"] == {"subject": "pump", "name": "pump data"}
    assert newest["message"] == "Unheard of pump: thing"
    assert 'rel="next"' in answer.headers["Link"]


async def test_since_is_strictly_after_and_without_a_zone_it_is_utc(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        write(cloud, "dataset.add", "dataset.delete")
        every = (await client.get("/api/activity")).json()["activities"]
        since = every[1]["timestamp"]
        after = (await client.get("/api/activity", params={"since": since})).json()
        naive = (await client.get("/api/activity", params={"since": since.removesuffix("Z")})).json()
    assert [one["id"] for one in after["activities"]] == [every[0]["id"]]
    assert naive == after


async def test_wrong_questions_are_422(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        for query in ("limit=0", "limit=1001", "limit=x", "since=yesterday", "type=%25", "type=", "offset=-1"):
            assert (await client.get(f"/api/activity?{query}")).status_code == 422, query
