"""Registering, logging in and out, renewing a session: what is answered, what is kept, and what is refused."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.access.users import Change
from cloud.api.credentials import ACCESS_COOKIE, ACCESS_CSRF, REFRESH_COOKIE, REFRESH_CSRF
from cloud.domain.role import Role
from cloud.domain.scopes import Scope
from cloud.records.audit import list_audit
from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.people import PASSWORD, bearer, browser, csrf, log_in, make_person, make_user, refresh_csrf

NEW = {"username": "newuser", "password": "strongpassword123", "email": "user@example.com"}
OFF = {"profile": "off"}
RUBBISH = [(b"authorization", b"Bearer x.y.z"), (b"cookie", f"{ACCESS_COOKIE}=\xe4".encode("latin-1"))]


@pytest_asyncio.fixture
async def free(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    """Give a cloud where everybody may register, and as often as they like."""
    async with running_cloud(template, tmp_path, auth={"registration": "open"}, limits=OFF) as running:
        yield running


@pytest_asyncio.fixture
async def page(free: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser in which alice has logged in."""
    make_user(free, "alice")
    async with browser(free) as client:
        assert (await log_in(client, "alice")).status_code == 200
        yield client


def actions(cloud: Cloud) -> list[str]:
    with cloud.api.records.reading() as session:
        return [entry.action for entry in list_audit(session)]


def altered(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:  # noqa: ANN401 - JSON
    """Return a token with other contents and its old signature."""
    parts = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    head = json.loads(base64.urlsafe_b64decode(parts[0] + "==")) | (header or {})
    return ".".join((_coded(head), _coded(body | claims), parts[2]))


def _coded(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
async def test_who_registers_logs_in_and_is_known_as_documented(free: Cloud, prefix: str) -> None:
    async with browser(free) as client:
        made = await client.post(f"{prefix}/auth/register", json=NEW)
        answer = await client.post(f"{prefix}/auth/login", json={k: NEW[k] for k in ("username", "password")})
        known = await client.get(f"{prefix}/auth/me")
    assert (made.status_code, made.json()) == (201, {"message": "User registered successfully"})
    user = answer.json()["user"]
    assert (answer.status_code, user["username"], user["email"], user["role"]) == (200, *_shown(NEW), "user")
    assert isinstance(user["id"], int)
    assert user["created_at"].endswith("Z")
    assert (known.json()["logged_in_as"], known.json()["role"]) == ("newuser", "user")


def _shown(new: dict[str, str]) -> tuple[str, str]:
    return new["username"], new["email"]


async def test_tokens_are_in_cookies_that_no_script_reads_and_csrf_tokens_in_some_that_do(free: Cloud) -> None:
    make_user(free, "alice")
    async with browser(free) as client:
        answer = await log_in(client, "alice")
    set_cookies = {one.partition("=")[0]: one.lower() for one in answer.headers.get_list("set-cookie")}
    assert set(set_cookies) == {ACCESS_COOKIE, REFRESH_COOKIE, ACCESS_CSRF, REFRESH_CSRF}
    assert {name for name, text in set_cookies.items() if "httponly" in text} == {ACCESS_COOKIE, REFRESH_COOKIE}
    assert all("samesite=strict" in text for text in set_cookies.values())
    assert all("secure" not in text for text in set_cookies.values())


async def test_cookies_go_over_https_only_where_the_request_came_by_it(free: Cloud) -> None:
    make_user(free, "alice")
    transport = httpx.ASGITransport(free.api.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        answer = await log_in(client, "alice")
    assert all("secure" in one.lower() for one in answer.headers.get_list("set-cookie"))


BAD_REGISTRATIONS: list[tuple[dict[str, object], str]] = [
    ({"password": "short"}, "password"),
    ({"password": "aaaaaaaaaaaa"}, "password"),
    ({"password": "newuser@x.example", "email": "newuser@x.example"}, "password"),
    ({"password": "x" * 201}, "password"),
    ({"email": "nobody"}, "email"),
    ({"email": "a@b..example"}, "email"),
    ({"username": ""}, "username"),
    ({"username": "../../etc"}, "username"),
    ({"username": "key:1234"}, "username"),
    ({"username": 7}, "username"),
    ({"is_admin": True}, "is_admin"),
    ({"role": "admin"}, "role"),
]


async def test_what_is_wrong_with_a_registration_is_400_by_field_and_keeps_nothing(free: Cloud) -> None:
    async with browser(free) as client:
        for change, field in BAD_REGISTRATIONS:
            answer = await client.post("/api/auth/register", json=NEW | change)
            assert answer.status_code == 400, change
            assert answer.json()["code"] == "INVALID_REQUEST"
            assert field in [error["field"] for error in answer.json()["errors"]]
            assert str(change.get("password", "no password")) not in answer.text
    assert free.api.services.users.count() == 0


async def test_a_missing_field_is_400_and_malformed_json_too(free: Cloud) -> None:
    async with browser(free) as client:
        for missing in NEW:
            answer = await client.post("/api/auth/register", json={k: v for k, v in NEW.items() if k != missing})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, missing)
        as_json = {"Content-Type": "application/json"}
        broken = await client.post("/api/auth/login", content=b'{"username": ', headers=as_json)
    assert (broken.status_code, broken.json()["code"]) == (400, "INVALID_FORMAT")


async def test_names_and_addresses_are_taken_whatever_their_case(free: Cloud) -> None:
    other = {"username": "other", "email": "other@example.com", "password": PASSWORD}
    async with browser(free) as client:
        await client.post("/api/auth/register", json=NEW)
        for twin in ({"username": "NEWUSER"}, {"email": "User@Example.com"}):
            answer = await client.post("/api/auth/register", json=other | twin)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, next(iter(twin)))
    assert free.api.services.users.count() == 1


async def test_registration_takes_an_invite_by_default_and_each_once(cloud: Cloud) -> None:
    token, _ = cloud.api.services.users.invite(Role.OPERATOR, by="test")
    async with browser(cloud) as client:
        without = await client.post("/api/v1/auth/register", json=NEW)
        wrong = await client.post("/api/v1/auth/register", json=NEW | {"invite": "0" * 48})
        good = await client.post("/api/v1/auth/register", json=NEW | {"invite": token})
        again = await client.post(
            "/api/v1/auth/register",
            json={"username": "b", "email": "b@example.com", "password": PASSWORD, "invite": token},
        )
    assert (without.status_code, without.json()["error_code"]) == (403, "INVITE_NEEDED")
    assert (wrong.status_code, again.status_code) == (403, 403)
    assert good.status_code == 201
    assert [user.role for user in cloud.api.services.users.list()] == [Role.OPERATOR]


async def test_nobody_registers_where_that_is_closed_but_the_first_administrator(
    template: Template, tmp_path: Path
) -> None:
    async with running_cloud(template, tmp_path, auth={"registration": "closed"}) as closed, browser(closed) as client:
        invite, _ = closed.api.services.users.invite(Role.USER, by="test")
        setup, _ = closed.api.services.users.invite(Role.ADMIN, by="init", is_setup=True)
        refused = await client.post("/api/auth/register", json=NEW | {"invite": invite})
        first = await client.post("/api/auth/register", json=NEW | {"invite": setup})
        roles = [user.role for user in closed.api.services.users.list()]
    assert (refused.status_code, first.status_code, roles) == (403, 201, [Role.ADMIN])


async def test_a_set_up_token_makes_the_first_user_only(free: Cloud) -> None:
    setup, _ = free.api.services.users.invite(Role.ADMIN, by="init", is_setup=True)
    make_user(free, "alice")
    async with browser(free) as client:
        answer = await client.post("/api/auth/register", json=NEW | {"invite": setup})
    assert (answer.status_code, answer.json()["code"]) == (403, "INVITE_NOT_GOOD")


async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(free: Cloud) -> None:
    make_user(free, "alice")
    async with browser(free) as client:
        for typed in ({"username": "alice", "password": "wrong"}, {"username": "nobody", "password": PASSWORD}):
            answer = await client.post("/api/auth/login", json=typed)
            assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_CREDENTIALS")
            assert answer.json()["details"] == "name or password is wrong"
            assert answer.headers.get_list("set-cookie") == []
    assert actions(free)[:2] == ["session.refuse"] * 2


async def test_who_guesses_waits_longer_and_longer_and_a_right_password_ends_it(free: Cloud) -> None:
    make_user(free, "alice")
    wrong = {"username": "alice", "password": "wrong"}
    async with browser(free) as client:
        tries = [await client.post("/api/auth/login", json=wrong) for _ in range(6)]
        right_but_early = await log_in(client, "alice")
        free.clock.ahead_s += 2
        right = await log_in(client, "alice")
        after = await client.post("/api/auth/login", json=wrong)
    assert [one.status_code for one in tries] == [401] * 5 + [429]
    assert (right_but_early.status_code, right_but_early.json()["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(tries[-1].headers["Retry-After"]) <= 2
    assert (right.status_code, after.status_code) == (200, 401)


async def test_a_token_by_form_holds_an_hour_as_documented(free: Cloud) -> None:
    make_user(free, "admin", Role.ADMIN)
    async with browser(free) as client:
        answer = await client.post("/api/auth/token", data={"username": "admin", "password": PASSWORD})
        granted = answer.json()
        held = []
        for ahead_s in (3500, 3600):
            free.clock.ahead_s = ahead_s
            held.append((await client.get("/api/users", headers=bearer(granted["access_token"]))).status_code)
    assert (answer.status_code, granted["token_type"], granted["expires_in"]) == (200, "bearer", 3600)
    assert held == [200, 401]


async def test_a_form_without_a_password_is_422_and_a_wrong_one_401(free: Cloud) -> None:
    async with browser(free) as client:
        missing = await client.post("/api/auth/token", data={"username": "admin"})
        wrong = await client.post("/api/auth/token", data={"username": "admin", "password": "x"})
    assert (missing.status_code, wrong.status_code) == (422, 401)


async def test_an_access_token_ends_after_ten_minutes_and_is_renewed_by_cookie(
    free: Cloud, page: httpx.AsyncClient
) -> None:
    free.clock.ahead_s = 601
    expired = await page.get("/api/auth/me")
    renewed = await page.post("/api/auth/refresh", headers=refresh_csrf(page))
    again = await page.get("/api/auth/me")
    assert (expired.status_code, expired.json()["code"]) == (401, "EXPIRED_TOKEN")
    assert (renewed.status_code, list(renewed.json())) == (200, ["access_token"])
    assert again.status_code == 200


async def test_renewing_without_the_csrf_token_is_422_and_without_the_cookie_401(page: httpx.AsyncClient) -> None:
    without = await page.post("/api/auth/refresh")
    wrong = await page.post("/api/auth/refresh", headers={"X-CSRF-TOKEN": "f" * 32})
    page.cookies.clear()
    nobody = await page.post("/api/auth/refresh")
    assert (without.status_code, wrong.status_code, nobody.status_code) == (422, 422, 401)


async def test_the_csrf_check_of_renewing_can_be_switched_off(template: Template, tmp_path: Path) -> None:
    async with running_cloud(template, tmp_path, auth={"refresh_csrf": False}) as lax, browser(lax) as client:
        make_user(lax, "alice")
        await log_in(client, "alice")
        assert (await client.post("/api/auth/refresh")).status_code == 200


async def test_a_rotated_refresh_token_is_taken_for_half_a_minute_and_then_ends_the_session(
    free: Cloud, page: httpx.AsyncClient
) -> None:
    old, proof = page.cookies[REFRESH_COOKIE], refresh_csrf(page)
    newest = (await page.post("/api/auth/refresh", headers=proof)).json()["access_token"]
    async with browser(free) as thief:
        other_tab = await thief.post("/api/auth/refresh", headers=proof | {"Cookie": f"{REFRESH_COOKIE}={old}"})
        thief.cookies.clear()
        free.clock.ahead_s = 31
        replayed = await thief.post("/api/auth/refresh", headers=proof | {"Cookie": f"{REFRESH_COOKIE}={old}"})
    victim = await page.post("/api/auth/refresh", headers=refresh_csrf(page))
    still_fresh = await page.get("/api/auth/me", headers=bearer(newest))
    assert (other_tab.status_code, replayed.status_code) == (200, 401)
    assert (victim.status_code, still_fresh.status_code) == (401, 401)
    assert actions(free)[0] == "session.end"


async def test_logging_out_ends_tokens_everywhere_and_takes_the_cookies_back(
    free: Cloud, page: httpx.AsyncClient
) -> None:
    kept = page.cookies[ACCESS_COOKIE]
    renewal, proof = page.cookies[REFRESH_COOKIE], refresh_csrf(page)
    answer = await page.post("/api/auth/logout")
    async with browser(free) as other:
        access = await other.get("/api/auth/me", headers=bearer(kept))
        refresh = await other.post("/api/auth/refresh", headers=proof | {"Cookie": f"{REFRESH_COOKIE}={renewal}"})
    assert (answer.status_code, answer.json()) == (200, {"message": "Logout successful"})
    assert all("max-age=0" in one.lower() for one in answer.headers.get_list("set-cookie"))
    assert (access.status_code, refresh.status_code, len(page.cookies)) == (401, 401, 0)


async def test_logging_out_without_anything_is_fine(cloud: Cloud) -> None:
    async with browser(cloud) as client:
        plain = await client.post("/api/v1/auth/logout")
        rubbish = await client.post("/api/v1/auth/logout", headers=RUBBISH)
    assert (plain.status_code, rubbish.status_code) == (200, 200)


async def test_a_change_by_cookie_takes_the_csrf_token_and_by_bearer_none(free: Cloud, page: httpx.AsyncClient) -> None:
    body = {"sensor_id": "T", "value": 1.5, "sensor_type": "temperature"}
    without = await page.post("/api/v1/data/ingest", json=body)
    wrong = await page.post("/api/v1/data/ingest", json=body, headers={"X-CSRF-TOKEN": "0" * 32})
    right = await page.post("/api/v1/data/ingest", json=body, headers=csrf(page))
    token = page.cookies[ACCESS_COOKIE]
    async with browser(free) as script:
        by_bearer = await script.post("/api/v1/data/ingest", json=body, headers=bearer(token))
    assert (without.status_code, without.json()["error_code"]) == (403, "CSRF")
    assert (wrong.status_code, right.status_code, by_bearer.status_code) == (403, 200, 200)
    assert (await page.get("/api/v1/devices")).status_code == 200


def forgeries(token: str) -> list[str]:
    return [
        altered(token, {"alg": "none"}),
        altered(token, {"alg": "none"}).rpartition(".")[0] + ".",
        altered(token, {"alg": "HS512"}),
        altered(token, {"kid": "../../etc/passwd"}),
        altered(token, {"kid": None}),
        altered(token, sub="2"),
        altered(token, aud="others"),
        altered(token, exp=1 << 62),
        token[:-8] + "AAAAAAAA",
        token + "A" * 5000,
        "..",
        "a.b.c",
    ]


async def test_a_token_that_we_did_not_make_is_401(free: Cloud) -> None:
    person = make_person(free, "alice")
    async with browser(free) as client:
        for forged in forgeries(person.access):
            answer = await client.get("/api/auth/me", headers=bearer(forged))
            assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN"), forged
        assert (await client.get("/api/auth/me", headers=bearer(person.access))).status_code == 200


async def test_a_refresh_token_opens_nothing_but_its_own_route(page: httpx.AsyncClient) -> None:
    token = page.cookies[REFRESH_COOKIE]
    page.cookies.clear()
    assert (await page.get("/api/auth/me", headers=bearer(token))).status_code == 401


async def test_a_changed_user_is_refused_at_once_with_the_old_token(free: Cloud) -> None:
    person, sessions = make_person(free, "alice"), free.api.services.sessions
    for change in (Change(role=Role.VIEWER), Change(email="x@example.com"), Change(is_disabled=True)):
        async with browser(free) as client:
            token = sessions.log_in("alice", PASSWORD, address="127.0.0.1").access
            before = await client.get("/api/auth/me", headers=bearer(token))
            free.api.services.users.change(person.id, change, by="test")
            after = await client.get("/api/auth/me", headers=bearer(token))
        assert (before.status_code, after.status_code, after.json()["code"]) == (200, 401, "SESSION_OVER")


async def test_a_disabled_user_cannot_log_in(free: Cloud) -> None:
    free.api.services.users.change(make_user(free, "alice"), Change(is_disabled=True), by="test")
    async with browser(free) as client:
        assert (await log_in(client, "alice")).status_code == 401


async def test_a_key_is_asked_before_a_bearer_token_and_that_before_a_cookie(
    free: Cloud, page: httpx.AsyncClient
) -> None:
    bob = make_person(free, "bob").access
    by_cookie = await page.get("/api/auth/me")
    by_bearer = await page.get("/api/auth/me", headers=bearer(bob))
    by_key = await page.get("/api/auth/me", headers=bearer(bob) | {"X-API-Key": free.key(Scope.DATA_READ)})
    wrong_key = await page.get("/api/auth/me", headers=bearer(bob) | {"X-API-Key": bob})
    assert [one.json()["logged_in_as"][:4] for one in (by_cookie, by_bearer, by_key)] == ["alic", "bob", "key:"]
    assert (wrong_key.status_code, wrong_key.json()["code"]) == (401, "UNKNOWN_API_KEY")


async def test_a_role_may_do_what_its_scopes_say(free: Cloud) -> None:
    wanted = {Role.VIEWER: (200, 403, 403), Role.USER: (200, 404, 403), Role.ADMIN: (200, 404, 200)}
    async with browser(free) as client:
        for role, statuses in wanted.items():
            headers = bearer(make_person(free, role.value, role).access)
            answers = (
                await client.get("/api/devices", headers=headers),
                await client.post("/api/alerts/acknowledge/x", headers=headers),
                await client.get("/api/users", headers=headers),
            )
            assert tuple(one.status_code for one in answers) == statuses, role


async def test_one_changes_ones_own_password_with_the_old_one(free: Cloud, page: httpx.AsyncClient) -> None:
    body = {"current_password": PASSWORD, "new_password": "another fine phrase"}
    wrong = await page.post("/api/auth/password", json=body | {"current_password": "x"}, headers=csrf(page))
    weak = await page.post("/api/auth/password", json=body | {"new_password": "alice"}, headers=csrf(page))
    good = await page.post("/api/auth/password", json=body, headers=csrf(page))
    async with browser(free) as client:
        old = await log_in(client, "alice")
        new = await client.post("/api/auth/login", json={"username": "alice", "password": "another fine phrase"})
    assert (wrong.status_code, weak.status_code, good.status_code) == (401, 422, 200)
    assert (old.status_code, new.status_code) == (401, 200)


async def test_a_key_has_no_password_to_change(cloud: Cloud) -> None:
    body = {"current_password": "x", "new_password": "another fine phrase"}
    async with cloud.client(Scope.ADMIN) as client:
        answer = await client.post("/api/auth/password", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_A_USER")


async def test_no_password_and_no_token_is_in_the_records(free: Cloud, page: httpx.AsyncClient) -> None:
    setup, _ = free.api.services.users.invite(Role.ADMIN, by="test")
    free.api.close()
    content = b"".join(path.read_bytes() for path in free.settings.data.glob("records.db*"))
    for secret in (PASSWORD, setup, page.cookies[ACCESS_COOKIE], page.cookies[REFRESH_COOKIE]):
        assert secret.encode() not in content
