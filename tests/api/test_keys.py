"""API keys over REST: made, rotated with an overlap, taken back."""

from cloud.domain.scopes import Scope
from cloud.records.audit import list_audit
from tests.support.cloud import Cloud

NEW = {"name": "line 1", "scopes": ["data:read"]}


async def test_a_key_is_shown_once_and_opens_what_its_scopes_say(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        made = await client.post("/api/v1/keys", json=NEW)
        shown = await client.get(f"/api/v1/keys/{made.json()['id']}")
        listed = await client.get("/api/v1/keys")
    key = made.json()["key"]
    assert made.status_code == 201
    assert key not in shown.text + listed.text
    assert listed.headers["X-Total-Count"] == "2"
    async with cloud.client() as client:
        client.headers["X-API-Key"] = key
        assert (await client.get("/api/v1/devices")).status_code == 200
        assert (await client.get("/api/v1/keys")).status_code == 403


async def test_a_key_made_for_a_day_is_over_the_day_after(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        key = (await client.post("/api/v1/keys", json=NEW | {"expires_in_days": 1})).json()["key"]
    async with cloud.client() as client:
        before = await client.get("/api/v1/devices", headers={"X-API-Key": key})
        cloud.clock.ahead_s = 86_400
        after = await client.get("/api/v1/devices", headers={"X-API-Key": key})
    assert (before.status_code, after.status_code, after.json()["error_code"]) == (200, 401, "EXPIRED_API_KEY")


async def test_a_rotated_key_holds_for_the_overlap_its_use_is_logged_and_then_it_is_over(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        old = (await client.post("/api/v1/keys", json=NEW)).json()
        await client.put("/api/v1/settings", json={"access": {"keyOverlapHours": 2}})
        rotated = await client.post(f"/api/v1/keys/{old['id']}/rotate")
        again = await client.post(f"/api/v1/keys/{old['id']}/rotate")
    new = rotated.json()["new"]
    assert (rotated.status_code, new["rotated_from"], new["scopes"]) == (201, old["id"], ["data:read"])
    assert (again.status_code, again.json()["error_code"]) == (409, "KEY_IS_OVER")
    statuses = []
    async with cloud.client() as client:
        for ahead_s in (0, 7100, 7200):
            cloud.clock.ahead_s = ahead_s
            calls = [await client.get("/api/v1/devices", headers={"X-API-Key": k["key"]}) for k in (old, new)]
            statuses.append([one.status_code for one in calls])
    assert statuses == [[200, 200], [200, 200], [401, 200]]
    with cloud.api.records.reading() as session:
        used = [one for one in list_audit(session, subject=old["id"]) if one.action == "key.use_of_old"]
    assert len(used) == 2


async def test_a_revoked_key_is_refused_at_once_and_twice_changes_nothing(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        made = (await client.post("/api/v1/keys", json=NEW)).json()
        gone = await client.delete(f"/api/v1/keys/{made['id']}")
        twice = await client.delete(f"/api/v1/keys/{made['id']}")
        refused = await client.get("/api/v1/devices", headers={"X-API-Key": made["key"]})
        late = await client.post(f"/api/v1/keys/{made['id']}/rotate")
    assert gone.json() == twice.json()
    assert (refused.status_code, late.status_code) == (401, 409)


async def test_what_is_wrong_with_a_key_is_told_and_keeps_nothing(cloud: Cloud) -> None:
    wrong: list[dict[str, object]] = [
        {"name": ""},
        {"name": "x" * 201},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"expires_in_days": 0},
        {"expires_in_days": 1 << 40},
        {"key": "lsk_mine_mine"},
    ]
    async with cloud.client(Scope.ADMIN) as client:
        for change in wrong:
            assert (await client.post("/api/v1/keys", json=NEW | change)).status_code == 422, change
        for name in ("nope", "00000000", "x" * 300, "%2e%2e%2fetc"):
            assert (await client.get(f"/api/v1/keys/{name}")).status_code in (404, 422)
    assert len(cloud.api.services.keys.list()) == 1


async def test_only_an_administrator_sees_or_makes_keys(cloud: Cloud) -> None:
    async with cloud.client(*(scope for scope in Scope if scope is not Scope.ADMIN)) as client:
        own = cloud.api.services.keys.list()[0].prefix
        answers = [
            await client.get("/api/v1/keys"),
            await client.get(f"/api/v1/keys/{own}"),
            await client.post("/api/v1/keys", json=NEW),
            await client.post(f"/api/v1/keys/{own}/rotate"),
            await client.delete(f"/api/v1/keys/{own}"),
        ]
    assert {one.status_code for one in answers} == {403}
