"""/decisions: the inbox, what may be said, and that it is said once."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from cloud.domain.decision import Choice, DecisionKind, NewDecisionRequest, RequestState
from cloud.domain.notice import NoticeKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.records.audit import list_audit
from cloud.records.decisions import add_request, find_open_request, find_request
from cloud.records.notices import read_notices
from tests.support.cloud import Cloud

DOCUMENTED = {
    "request_id": "req_maintenance_123",
    "decision": "approve",
    "justification": "Critical equipment requires immediate attention",
    "operator_id": "operator_001",
}
HOUR = timedelta(hours=1)


def asked(
    cloud: Cloud,
    kind: DecisionKind = DecisionKind.RECOMMENDATION,
    subject: str = "rec_1",
    expires_in: timedelta | None = None,
    options: tuple[Choice, ...] = tuple(Choice),
) -> str:
    now = to_datetime(cloud.clock.now_us())
    expires_at = None if expires_in is None else now + expires_in
    new = NewDecisionRequest(
        kind, subject, f"{subject}?", "anna", now, {"alarms": ["a-1"]}, expires_at=expires_at, options=options
    )
    with cloud.api.records.writing() as session:
        return add_request(session, new).id


def outcome(cloud: Cloud, request_id: str) -> RequestState | None:
    with cloud.api.records.reading() as session:
        request = find_request(session, request_id)
    assert request is not None
    return request.outcome


def told(cloud: Cloud) -> list[tuple[str, object]]:
    with cloud.api.records.reading() as session:
        notices = read_notices(session, after=0, limit=100)
    return [(one.subject, one.data["state"]) for one in notices if one.kind is NoticeKind.DECISION_REQUEST]


async def submit(client: httpx.AsyncClient, request_id: str, decision: str, **more: str) -> httpx.Response:
    body = {"request_id": request_id, "decision": decision, **more}
    return await client.post("/api/v1/decisions/submit", json=body)


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_the_documented_decision_is_kept_although_nobody_had_asked(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        answer = await client.post(f"{prefix}/decisions/submit", json=DOCUMENTED)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert (body["status"], body["request_id"]) == ("success", "req_maintenance_123")
        story = (await client.get(f"{prefix}/decisions/req_maintenance_123")).json()
    assert (story["state"], story["ad_hoc"], story["kind"]) == ("approved", True, "maintenance")
    (decision,) = story["decisions"]
    assert UUID(decision["event_id"]) == UUID(body["event_id"])
    assert (decision["operator_id"], decision["justification"]) == ("operator_001", DOCUMENTED["justification"])


async def test_an_inbox_shows_what_is_open_with_its_evidence(cloud: Cloud) -> None:
    ids = [asked(cloud, subject=f"rec_{number}") for number in range(3)]
    scaling = asked(cloud, DecisionKind.SCALING, "ingest")
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        assert (await submit(client, ids[0], "reject")).status_code == 201
        inbox = await client.get("/api/v1/decisions", params={"limit": 2})
        assert [one["id"] for one in inbox.json()] == [scaling, ids[2]]
        assert inbox.headers["X-Total-Count"] == "3"
        assert 'rel="next"' in inbox.headers["Link"]
        assert inbox.json()[1]["evidence"] == {"alarms": ["a-1"]}
        chosen = await client.get("/api/v1/decisions", params={"kind": "recommendation", "state": "rejected"})
    assert [(one["id"], one["state"]) for one in chosen.json()] == [(ids[0], "rejected")]


async def test_who_asked_sees_the_outcome_and_feeds_are_told(cloud: Cloud) -> None:
    request_id = asked(cloud)
    assert outcome(cloud, request_id) is None
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        await submit(client, request_id, "approve")
    assert outcome(cloud, request_id) is RequestState.APPROVED
    assert told(cloud) == [(request_id, "open"), (request_id, "approved")]
    with cloud.api.records.reading() as session:
        assert [entry.action for entry in list_audit(session, subject=request_id)] == ["decision.approve"]
        assert find_open_request(session, DecisionKind.RECOMMENDATION, "rec_1") is None


async def test_the_same_again_is_the_first_decision_and_another_is_refused(cloud: Cloud) -> None:
    request_id = asked(cloud)
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        first = (await submit(client, request_id, "approve")).json()
        assert (await submit(client, request_id, "approve")).json() == first
        refused = await submit(client, request_id, "reject")
        assert (refused.status_code, refused.json()["error_code"]) == (409, "DECISION_CLOSED")
        story = (await client.get(f"/api/v1/decisions/{request_id}")).json()
    assert (story["state"], len(story["decisions"])) == ("approved", 1)


async def test_a_deferred_request_leaves_the_inbox_and_comes_back_in_its_time(cloud: Cloud) -> None:
    request_id = asked(cloud)
    until = to_datetime(cloud.clock.now_us()) + HOUR
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        await submit(client, request_id, "defer", defer_until=until.isoformat())
        assert (await client.get("/api/v1/decisions")).json() == []
        cloud.api.services.decisions.wake()
        assert (await client.get("/api/v1/decisions")).json() == []
        cloud.clock.ahead_s = 3601
        cloud.api.services.decisions.wake()
        assert [one["id"] for one in (await client.get("/api/v1/decisions")).json()] == [request_id]
    assert told(cloud) == [(request_id, "open"), (request_id, "deferred"), (request_id, "open")]


async def test_a_request_that_nobody_decided_in_time_is_closed(cloud: Cloud) -> None:
    request_id = asked(cloud, expires_in=HOUR)
    cloud.clock.ahead_s = 3601
    cloud.api.services.decisions.wake()
    assert outcome(cloud, request_id) is RequestState.EXPIRED
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        assert (await submit(client, request_id, "approve")).status_code == 409


BAD: tuple[tuple[dict[str, str | None], int, str], ...] = (
    ({"request_id": None}, 400, "request_id"),
    ({"decision": None}, 400, "decision"),
    ({"decision": "maybe"}, 422, "decision"),
    ({"request_id": ""}, 422, "request_id"),
    ({"request_id": "a\u0000b"}, 422, "request_id"),
    ({"request_id": "x" * 201}, 422, "request_id"),
    ({"justification": "x" * 2001}, 422, "justification"),
    ({"colour": "red"}, 422, "colour"),
    ({"defer_until": "2020-01-01T00:00:00Z", "decision": "defer"}, 422, "defer_until"),
    ({"defer_until": "2999-01-01T00:00:00Z", "decision": "defer"}, 422, "defer_until"),
    ({"defer_until": "2999-01-01T00:00:00Z"}, 422, "defer_until"),
)


async def test_a_bad_decision_is_refused_by_field_and_nothing_is_kept(cloud: Cloud) -> None:
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        for change, status, field in BAD:
            body = {name: value for name, value in (DOCUMENTED | change).items() if value is not None}
            answer = await client.post("/api/v1/decisions/submit", json=body)
            assert answer.status_code == status, (change, answer.text)
            assert answer.json()["error"]["details"]["field"] == field
        kept = await client.get("/api/v1/decisions", params={"state": [state.value for state in RequestState]})
    assert kept.json() == []


async def test_only_what_is_offered_may_be_chosen(cloud: Cloud) -> None:
    request_id = asked(cloud, options=(Choice.APPROVE, Choice.REJECT))
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        answer = await submit(client, request_id, "defer")
    assert (answer.status_code, answer.json()["error_code"]) == (422, "INVALID_DECISION")


async def test_a_request_that_never_was_is_404_and_needs_the_scope(cloud: Cloud) -> None:
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        missing = await client.get("/api/v1/decisions/req_none")
        assert (missing.status_code, missing.json()["error_code"]) == (404, "DECISION_REQUEST_NOT_FOUND")
    async with cloud.client(Scope.DATA_READ) as stranger:
        assert (await stranger.get("/api/v1/decisions")).status_code == 403
        assert (await stranger.post("/api/v1/decisions/submit", json=DOCUMENTED)).status_code == 403


async def test_a_person_asks_for_maintenance_and_the_audit_knows(cloud: Cloud) -> None:
    wish = {"title": "pump-1 is loud: change the coupling", "alarms": ["a-1"], "note": "since the early shift"}
    async with cloud.client(Scope.TASKS_UPDATE, Scope.SYSTEM_READ) as client:
        answer = await client.post("/api/v1/decisions", json=wish)
        assert answer.status_code == 201, answer.text
        asked_for = answer.json()
        assert (asked_for["kind"], asked_for["state"], asked_for["due_at"]) == ("maintenance", "open", None)
        assert asked_for["evidence"] == {"alarms": ["a-1"], "note": "since the early shift"}
        assert [one["id"] for one in (await client.get("/api/v1/decisions")).json()] == [asked_for["id"]]
        assert (await submit(client, asked_for["id"], "approve")).status_code == 201
        activity = (await client.get("/api/v1/activity", params={"type": "decision"})).json()["activities"]
    subjects = [one["details"]["subject"] for one in activity]
    assert subjects == [asked_for["id"]] * 2
    assert [one["message"].rpartition(": ")[2] for one in activity] == ["approve", "request"]


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 400, "INVALID_REQUEST"),
        ({"title": ""}, 422, "INVALID_PARAMETERS"),
        ({"title": "?", "kind": "scaling"}, 422, "INVALID_PARAMETERS"),
        ({"title": "?", "due_at": "2020-01-01T00:00:00Z"}, 422, "INVALID_TIME"),
        ({"title": "?", "device_id": "none-such"}, 404, "DEVICE_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_and_kept_nowhere(
    cloud: Cloud, wish: dict[str, str], status: int, code: str
) -> None:
    async with cloud.client(Scope.TASKS_UPDATE) as client:
        answer = await client.post("/api/v1/decisions", json=wish)
        assert (answer.status_code, answer.json()["error_code"]) == (status, code)
        assert (await client.get("/api/v1/decisions")).json() == []
