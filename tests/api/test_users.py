"""Users and invites as administrators see to them."""

from cloud.domain.role import Role
from cloud.domain.scopes import Scope
from cloud.records.audit import list_audit
from tests.support.cloud import Cloud
from tests.support.people import PASSWORD, bearer, browser, log_in, make_person, make_user

NEW = {"username": "bob", "email": "bob@example.com", "password": PASSWORD, "role": "operator"}


async def test_an_administrator_makes_shows_changes_and_deletes_users(cloud: Cloud) -> None:
    make_user(cloud, "root", Role.ADMIN)
    async with cloud.client(Scope.ADMIN) as client:
        made = await client.post("/api/v1/users", json=NEW)
        where = f"/api/v1/users/{made.json()['id']}"
        changed = await client.patch(where, json={"role": "viewer"})
        shown = await client.get(where)
        listed = await client.get("/api/v1/users?limit=1&offset=1")
        gone = await client.delete(where)
        after = await client.get(where)
    assert (made.status_code, made.json()["role"], changed.json()["role"]) == (201, "operator", "viewer")
    assert shown.json() == changed.json() == listed.json()[0]
    assert listed.headers["X-Total-Count"] == "2"
    assert (gone.status_code, gone.content, after.status_code) == (204, b"", 404)
    assert "password" not in made.text


async def test_each_change_of_a_user_is_in_the_audit_with_who_did_it(cloud: Cloud) -> None:
    root = make_person(cloud, "root", Role.ADMIN)
    async with browser(cloud) as client:
        client.headers.update(bearer(root.access))
        number = (await client.post("/api/users", json=NEW)).json()["id"]
        await client.patch(f"/api/users/{number}", json={"role": "user", "disabled": True})
        await client.put(f"/api/users/{number}/password", json={"password": "another fine phrase"})
        await client.delete(f"/api/users/{number}")
    with cloud.api.records.reading() as session:
        entries = list_audit(session, subject="bob")
    assert [one.action for one in entries] == ["user.delete", "user.password", "user.change", "user.create"]
    assert {one.actor for one in entries} == {"user:root"}
    wanted = {"role": {"from": "operator", "to": "user"}, "disabled": {"from": False, "to": True}}
    assert entries[2].details == wanted


async def test_the_last_administrator_cannot_be_lost(cloud: Cloud) -> None:
    root = make_user(cloud, "root", Role.ADMIN)
    async with cloud.client(Scope.ADMIN) as client:
        answers = [
            await client.patch(f"/api/v1/users/{root}", json={"role": "user"}),
            await client.patch(f"/api/v1/users/{root}", json={"disabled": True}),
            await client.delete(f"/api/v1/users/{root}"),
        ]
        kept = (await client.get(f"/api/v1/users/{root}")).json()
    assert [(one.status_code, one.json()["error_code"]) for one in answers] == [(409, "LAST_ADMIN")] * 3
    assert (kept["role"], kept["disabled"]) == ("admin", False)


async def test_what_is_wrong_with_a_user_is_told_by_field_and_keeps_nothing(cloud: Cloud) -> None:
    wrong: list[tuple[dict[str, object], int, str]] = [
        ({"password": "short"}, 422, "password"),
        ({"email": "x"}, 422, "email"),
        ({"username": "a b"}, 422, "username"),
        ({"role": "king"}, 422, "role"),
        ({"is_admin": True}, 422, "is_admin"),
    ]
    async with cloud.client(Scope.ADMIN) as client:
        for change, status, field in wrong:
            answer = await client.post("/api/v1/users", json=NEW | change)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
        for number in ("0", "x", "99999999999999", "../1"):
            assert (await client.get(f"/api/v1/users/{number}")).status_code in (404, 422)
        assert (await client.patch("/api/v1/users/77", json={"role": "user"})).status_code == 404
    assert cloud.api.services.users.count() == 0


async def test_nobody_but_an_administrator_sees_or_changes_users_not_even_oneself(cloud: Cloud) -> None:
    alice = make_person(cloud, "alice", Role.OPERATOR)
    other = make_user(cloud, "bob")
    async with browser(cloud) as client:
        client.headers.update(bearer(alice.access))
        for number in (alice.id, other):
            answers = [
                await client.get(f"/api/users/{number}"),
                await client.patch(f"/api/users/{number}", json={"role": "admin"}),
                await client.put(f"/api/users/{number}/password", json={"password": "another fine phrase"}),
                await client.delete(f"/api/users/{number}"),
            ]
            assert {one.status_code for one in answers} == {403}
    assert [user.role for user in cloud.api.services.users.list()] == [Role.OPERATOR, Role.USER]


async def test_an_invite_is_shown_once_listed_without_its_token_and_taken_back(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        made = await client.post("/api/v1/users/invites", json={"role": "viewer", "email": "eve@example.com"})
        listed = await client.get("/api/v1/users/invites")
        gone = await client.delete(f"/api/v1/users/invites/{made.json()['id']}")
        twice = await client.delete(f"/api/v1/users/invites/{made.json()['id']}")
        missing = await client.delete("/api/v1/users/invites/99")
        new = {"username": "eve", "email": "eve@example.com", "password": PASSWORD, "invite": made.json()["token"]}
        late = await client.post("/api/v1/auth/register", json=new)
    assert made.status_code == 201
    assert made.json()["token"] not in listed.text
    assert gone.json() == twice.json()
    assert gone.json()["revoked_at"] is not None
    assert (missing.status_code, late.status_code) == (404, 403)


async def test_an_invite_for_one_address_is_for_no_other_and_ends(cloud: Cloud) -> None:
    users = cloud.api.services.users
    bound, _ = users.invite(Role.USER, by="test", email="eve@example.com")
    late, _ = users.invite(Role.USER, by="test")
    body = {"username": "mallory", "email": "mallory@example.com", "password": PASSWORD}
    async with browser(cloud) as client:
        other = await client.post("/api/auth/register", json=body | {"invite": bound})
        cloud.clock.ahead_s = 7 * 86_400
        over = await client.post("/api/auth/register", json=body | {"invite": late})
    assert (other.status_code, over.status_code, users.count()) == (403, 403, 0)


async def test_a_password_that_an_administrator_sets_ends_the_sessions(cloud: Cloud) -> None:
    alice = make_person(cloud, "alice")
    async with cloud.client(Scope.ADMIN) as admin, browser(cloud) as client:
        done = await admin.put(f"/api/users/{alice.id}/password", json={"password": "another fine phrase"})
        over = await client.get("/api/auth/me", headers=bearer(alice.access))
        old = await log_in(client, "alice")
    assert (done.status_code, over.status_code, old.status_code) == (204, 401, 401)
