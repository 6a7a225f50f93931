"""Credentials of a connection: who shows what, cookies and what must come beside them, and who is on this machine.

Everything here works for WebSockets too: it asks no more than what a connection begins with.
"""

from hmac import compare_digest
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import HTTPConnection

from cloud.access.gate import ANONYMOUS
from cloud.access.sessions import Given
from cloud.domain.api_key import Caller, Principal
from cloud.errors import Forbidden
from cloud.listening import LOOPBACK_NAMES
from cloud.services import Services

ACCESS_COOKIE = "access_token_cookie"
REFRESH_COOKIE = "refresh_token_cookie"
ACCESS_CSRF = "csrf_access_token"
REFRESH_CSRF = "csrf_refresh_token"
CSRF_HEADER = "X-CSRF-TOKEN"
_REFRESH_PATH = "/api"
_PATHS = {ACCESS_COOKIE: "/", REFRESH_COOKIE: _REFRESH_PATH, ACCESS_CSRF: "/", REFRESH_CSRF: "/"}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
_OWN_PAGES = frozenset({"", "same-origin", "none"})


class Knows(Protocol):
    """Who can say whose a credential is."""

    def believed(self, text: str) -> Caller | None:
        """Return who calls if that was found out just now; never waits."""

    def resolve(self, text: str) -> Caller:
        """Return who calls; raise Unauthorized, Unavailable."""


async def who_shows(services: Services, knows: Knows, text: str) -> Caller:
    """Return who shows this credential; raise Unauthorized, Unavailable."""
    found = knows.believed(text)
    services.traffic.looked_up(was_found=found is not None)
    return found if found is not None else await services.threads.run(lambda _: knows.resolve(text))


async def who_connects(services: Services, connection: HTTPConnection, token: str = "") -> Principal | None:
    """Return who opens a live connection: by a token or key, else by cookie from our own pages, else anonymous.

    None without a credential; raise Unauthorized for a wrong one, Unavailable.
    """
    if token:
        return (await who_shows(services, services.gate, token)).principal
    cookie = connection.cookies.get(ACCESS_COOKIE)
    if cookie and is_own_page(connection):
        return (await who_shows(services, services.sessions, cookie)).principal
    return ANONYMOUS if services.gate.is_anonymous and comes_from_here(connection) else None


def require_csrf(connection: HTTPConnection, caller: Caller) -> None:
    """Raise Forbidden for a change by cookie without the token that only our own pages can read."""
    if connection.scope.get("method", "GET") in _SAFE:
        return
    sent = connection.headers.get(CSRF_HEADER, "")
    if not caller.csrf or not compare_digest(sent.encode(), caller.csrf.encode()):
        raise Forbidden(f"a change by cookie takes {ACCESS_CSRF} as {CSRF_HEADER}", code="CSRF")


def is_own_page(connection: HTTPConnection) -> bool:
    """Return whether no page of somebody else in a browser makes this connection."""
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return False
    return headers.get("sec-fetch-site", "").lower() in _OWN_PAGES


def comes_from_here(connection: HTTPConnection) -> bool:
    """Return whether a program or an own page on this machine connects, and nobody through a proxy."""
    names = {name.lower() for name in connection.headers}
    if names & _FORWARDING or any(name.startswith("x-forwarded-") for name in names):
        return False
    hosts = connection.headers.getlist("host")
    client = connection.client.host if connection.client is not None else ""
    return len(hosts) == 1 and _is_here(_name_of(hosts[0])) and _is_here(client) and is_own_page(connection)


def keep_cookies(response: Response, given: Given, *, now_s: float, is_secure: bool) -> None:
    """Set the cookies of a session: both tokens where no script reads them, both CSRF tokens where ours do."""
    access_s = max(1, round(given.access_ends_at.timestamp() - now_s))
    session_s = access_s if given.session_ends_at is None else max(1, round(given.session_ends_at.timestamp() - now_s))
    for name, value, age_s in (
        (ACCESS_COOKIE, given.access, access_s),
        (ACCESS_CSRF, given.access_csrf, access_s),
        (REFRESH_COOKIE, given.refresh, session_s),
        (REFRESH_CSRF, given.refresh_csrf, session_s),
    ):
        response.set_cookie(
            name,
            value,
            max_age=age_s,
            path=_PATHS[name],
            secure=is_secure,
            httponly=name in (ACCESS_COOKIE, REFRESH_COOKIE),
            samesite="strict",
        )


def drop_cookies(response: Response, *, is_secure: bool) -> None:
    """Take back all cookies of a session."""
    for name, path in _PATHS.items():
        is_hidden = name in (ACCESS_COOKIE, REFRESH_COOKIE)
        response.delete_cookie(name, path=path, secure=is_secure, httponly=is_hidden, samesite="strict")


def _name_of(host: str) -> str:
    return host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]


def _is_here(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() in LOOPBACK_NAMES
